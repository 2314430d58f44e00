/** Frames that the kernel side is timed with: what opens each connection, and the one that is repeated. */
import { concat, frame, pattern, TCP, type Transport } from "../../support/frames.ts";

export interface Traffic {
  name: string;
  /** Begin the connection; the last one carries payload of the side that the measured frame is of. */
  opening: readonly Uint8Array[];
  measured: Uint8Array;
  payloadBytes: number;
}

export const FAMILIES = {
  IPv4: ["10.0.0.1", "10.0.0.2"],
  IPv6: ["fd00::1", "fd00::2"],
} as const;
export type Family = keyof typeof FAMILIES;

const SERVER_PORT = 443;
const CLIENT_SEQUENCE = 1000;
const SERVER_SEQUENCE = 5000;
const SMALL_UDP_BYTES = 64;
const LARGE_BYTES = 1400;
/** First byte of a QUIC long header: a payload that userspace wants to see. */
const LONG_HEADER = Uint8Array.of(0xc3);

type Tcp = Omit<
  Extract<Transport, { kind: "tcp" }>,
  "kind" | "sourcePort" | "destinationPort" | "acknowledgment"
>;

/** A TCP connection that is open, its client's `payloadBytes` sent and acknowledged. */
function tcp(
  name: string,
  family: Family,
  clientPort: number,
  payloadBytes: number,
  isRepeated: boolean,
): Traffic {
  const [client, server] = FAMILIES[family];
  const toServer = (rest: Tcp, acknowledgment = SERVER_SEQUENCE) => {
    const ports = { sourcePort: clientPort, destinationPort: SERVER_PORT };
    return frame({
      source: client,
      destination: server,
      transport: { kind: "tcp", ...ports, acknowledgment, ...rest },
    });
  };
  const toClient = (rest: Tcp, acknowledgment: number) => {
    const ports = { sourcePort: SERVER_PORT, destinationPort: clientPort };
    return frame({
      source: server,
      destination: client,
      transport: { kind: "tcp", ...ports, acknowledgment, ...rest },
    });
  };
  const data = toServer({
    sequence: CLIENT_SEQUENCE,
    flags: TCP.psh | TCP.ack,
    payload: pattern(payloadBytes),
  });
  const end = CLIENT_SEQUENCE + payloadBytes;
  return {
    name: `TCP ${family}, ${name}`,
    opening: [
      toServer({ sequence: CLIENT_SEQUENCE - 1, flags: TCP.syn }, 0),
      toClient({ sequence: SERVER_SEQUENCE - 1, flags: TCP.syn | TCP.ack }, CLIENT_SEQUENCE),
      toServer({ sequence: CLIENT_SEQUENCE, flags: TCP.ack }),
      data,
      toClient({ sequence: SERVER_SEQUENCE, flags: TCP.ack }, end),
      data,
    ],
    measured: isRepeated ? data : toServer({ sequence: end, flags: TCP.ack }),
    payloadBytes: isRepeated ? payloadBytes : 0,
  };
}

function udp(family: Family, clientPort: number, payloadBytes: number): Traffic {
  const [source, destination] = FAMILIES[family];
  const payload = concat(LONG_HEADER, pattern(payloadBytes - LONG_HEADER.length));
  const measured = frame({
    source,
    destination,
    transport: { kind: "udp", sourcePort: clientPort, destinationPort: SERVER_PORT, payload },
  });
  return { name: `UDP ${family}, ${payloadBytes} bytes`, opening: [measured], measured, payloadBytes };
}

/**
 * Both protocols and families. A TCP segment that is repeated counts as sent again, another way than in order; one of a
 * single byte is a keep-alive (RFC 9293 section 3.8.4), which takes the way of one in order but for a comparison.
 */
export function traffic(): Traffic[] {
  return (Object.keys(FAMILIES) as Family[]).flatMap((family, index) => {
    const port = 40_000 + 10 * index;
    return [
      tcp("ACK without payload", family, port, 1, false),
      tcp("keep-alive, 1 byte", family, port + 1, 1, true),
      tcp(`sent again, ${LARGE_BYTES} bytes`, family, port + 2, LARGE_BYTES, true),
      udp(family, port + 3, SMALL_UDP_BYTES),
      udp(family, port + 4, LARGE_BYTES),
    ];
  });
}
