/** Connections that come and go, each of them new: a lookup, then a TLS connection to what was found, opened and closed. */
import { VETH, type Lab } from "../../lab/support/lab.ts";
import { addressRecord, dnsAnswer, dnsQuery } from "../../support/dns.ts";
import { frame, TCP, type Transport } from "../../support/frames.ts";
import { writePcap } from "../../support/pcap.ts";
import { clientHello, tlsRecord } from "../../support/tls.ts";
import { SERVER_STREAM } from "./hellos.ts";

/** Of each visit: its lookup and its TLS connection. */
export const CONNECTIONS_OF_VISIT = 2;
const FRAMES_OF_VISIT = 10;
/** Visits whose frames come in turn. */
const AT_A_TIME = 100;
const SECONDS_OF_ROUND = 5;
const TIMEOUT_MS = 60_000;
const [DNS_PORT, TLS_PORT] = [53, 443];
const FIRST_PORT = 32_768;
const PORTS = 28_000;
const RESOLVER = "198.18.255.53";
const SEQUENCE = 1000;

type Tcp = Omit<Extract<Transport, { kind: "tcp" }>, "kind" | "sourcePort" | "destinationPort">;

function octets(number: number): string {
  return `${(number >> 16) & 0xff}.${(number >> 8) & 0xff}.${number & 0xff}`;
}

/** The frames of visit `number`, in order. */
function visit(number: number): Uint8Array[] {
  const client = `10.${octets(number)}`;
  const server = `44.${octets(number)}`;
  const name = `host${number}.site${number % 1000}.example`;
  const port = FIRST_PORT + (number % PORTS);
  const id = number & 0xffff;
  const lookup = (isAnswer: boolean, payload: Uint8Array) => {
    const [source, destination] = isAnswer ? [RESOLVER, client] : [client, RESOLVER];
    const [sourcePort, destinationPort] = isAnswer ? [DNS_PORT, port] : [port, DNS_PORT];
    return frame({ source, destination, transport: { kind: "udp", sourcePort, destinationPort, payload } });
  };
  const toServer = (tcp: Tcp) =>
    frame({
      source: client,
      destination: server,
      transport: { kind: "tcp", sourcePort: port, destinationPort: TLS_PORT, ...tcp },
    });
  const toClient = (tcp: Tcp) =>
    frame({
      source: server,
      destination: client,
      transport: { kind: "tcp", sourcePort: TLS_PORT, destinationPort: port, ...tcp },
    });
  const hello = tlsRecord(clientHello({ serverName: name, alpn: ["h2"] }));
  const [sent, received] = [SEQUENCE + 1 + hello.length, SEQUENCE + 1 + SERVER_STREAM.length];
  const { syn, ack, fin } = TCP;
  return [
    lookup(false, dnsQuery(name, 1, id)),
    lookup(true, dnsAnswer(name, [addressRecord(name, server)], 1, id)),
    toServer({ sequence: SEQUENCE, flags: syn }),
    toClient({ sequence: SEQUENCE, acknowledgment: SEQUENCE + 1, flags: syn | ack }),
    toServer({ sequence: SEQUENCE + 1, acknowledgment: SEQUENCE + 1 }),
    toServer({ sequence: SEQUENCE + 1, acknowledgment: SEQUENCE + 1, payload: hello }),
    toClient({ sequence: SEQUENCE + 1, acknowledgment: sent, payload: SERVER_STREAM }),
    toServer({ sequence: sent, acknowledgment: received, flags: fin | ack }),
    toClient({ sequence: received, acknowledgment: sent + 1, flags: fin | ack }),
    toServer({ sequence: sent + 1, acknowledgment: received + 1 }),
  ];
}

/** The frames of `count` visits from number `first` up. */
function visits(first: number, count: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let start = first; start < first + count; start += AT_A_TIME) {
    const length = Math.min(AT_A_TIME, first + count - start);
    const group = Array.from({ length }, (_, index) => visit(start + index));
    for (let step = 0; step < FRAMES_OF_VISIT; step++) {
      for (const frames_ of group) frames.push(...frames_.slice(step, step + 1));
    }
  }
  return frames;
}

/**
 * Sends visits from the client's end of a lab, `perSecond` of them a second, until `isOver`. Resolves to how many there were.
 * @throws when a frame could not be sent.
 */
export async function churn(lab: Lab, perSecond: number, isOver: () => boolean): Promise<number> {
  const count = perSecond * SECONDS_OF_ROUND;
  const prepare = async (round: number): Promise<string> => {
    const file = lab.path(`churn-${round % 2}.pcap`);
    await writePcap(file, visits(round * count, count));
    return file;
  };
  // In small groups and asleep between: else tcpreplay takes a whole processor.
  const speed = ["--timer=nano", "--pps-multi=50", `--pps=${perSecond * FRAMES_OF_VISIT}`];
  let next = prepare(0);
  let round = 0;
  for (; !isOver(); round++) {
    const file = await next;
    const sent = lab.client.exec(["tcpreplay", "-i", VETH, ...speed, "--preload-pcap", file], {
      timeoutMs: TIMEOUT_MS,
    });
    next = prepare(round + 1);
    const { stdout } = await sent;
    const packets = Number(/Successful packets:\s+(\d+)/.exec(stdout)?.[1]);
    if (packets !== count * FRAMES_OF_VISIT) throw new Error(`not all frames were sent:\n${stdout}`);
  }
  await next;
  return round * count;
}
