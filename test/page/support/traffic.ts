/** Made traffic: exchanges of a client with a server and lookups, frame by frame, at times of their own. */
import { VETH, type Lab } from "../../lab/support/lab.ts";
import { concat, pattern } from "../../support/bytes.ts";
import { addressRecord, dnsAnswer, dnsMessage, dnsQuery } from "../../support/dns.ts";
import { frame, TCP, type Transport } from "../../support/frames.ts";
import { writePcap } from "../../support/pcap.ts";
import { cryptoFrame, initialPacket, padding } from "../../support/quic.ts";
import { clientHello, serverHello, tlsRecord } from "../../support/tls.ts";

const SEGMENT = 1400;
const QUERY_ID = 64;
const DATAGRAM = 1200;
const [DNS_PORT, SEQUENCE] = [53, 1000];
const TIMEOUT_MS = 180_000;
const SERVER_HELLO = tlsRecord(serverHello({ version: 0x0304 }));

/** A frame and when it is sent, in milliseconds from the first. */
export interface Timed {
  atMs: number;
  frame: Uint8Array;
}

export interface Exchange {
  client: string;
  clientPort: number;
  server: string;
  serverPort: number;
  /** What the client asks for, by TLS on any port but 80, by HTTP there; null: it says nothing of a name. */
  name: string | Uint8Array | null;
  /** Bytes of data each way, after the greeting. */
  sent: number;
  received: number;
  atMs?: number;
  /** From the first data to the last. */
  lastsMs?: number;
  /** How its data is spread over that: from a share of the data to a share of the time; evenly unless given. */
  pace?: (share: number) => number;
  rttMs?: number;
  /** Segments of the server's that come a second time. */
  resent?: number;
  /** Both ends say goodbye behind the data. */
  isOver?: boolean;
}

const encoder = new TextEncoder();

function greeting({ name, serverPort }: Exchange): [client: Uint8Array, server: Uint8Array] | null {
  if (name === null) return null;
  const bytes = typeof name === "string" ? encoder.encode(name) : name;
  if (serverPort !== 80) {
    return [
      tlsRecord(clientHello({ serverName: bytes, alpn: ["h2", "http/1.1"], signatureAlgorithms: [0x0403] })),
      SERVER_HELLO,
    ];
  }
  const request = concat(encoder.encode("GET / HTTP/1.1\r\nHost: "), bytes, encoder.encode("\r\n\r\n"));
  return [request, encoder.encode("HTTP/1.1 200 OK\r\n\r\n")];
}

const evenly = (share: number): number => share;

function segments(bytes: number): number[] {
  const whole = Math.floor(bytes / SEGMENT);
  const rest = bytes - whole * SEGMENT;
  return [...Array.from({ length: whole }, () => SEGMENT), ...(rest > 0 ? [rest] : [])];
}

interface Segment {
  from: "client" | "server";
  size: number;
}

/** Segments of both ways, each way spread evenly over the whole. */
function mixed(sent: readonly number[], received: readonly number[]): Segment[] {
  const placed = (from: Segment["from"], sizes: readonly number[]) =>
    sizes.map((size, index) => ({ from, size, at: index / sizes.length }));
  return [...placed("client", sent), ...placed("server", received)].toSorted((a, b) => a.at - b.at);
}

/** The frames of one TCP connection. */
export function exchange(spec: Exchange): Timed[] {
  const { client, clientPort, server, serverPort, atMs = 0, lastsMs = 0, rttMs = 0, pace = evenly } = spec;
  const frames: Timed[] = [];
  const next = { client: SEQUENCE, server: SEQUENCE };
  const send = (
    from: "client" | "server",
    at: number,
    flags: number,
    payload: Uint8Array,
    isAgain = false,
  ) => {
    const to = from === "client" ? "server" : "client";
    const ends = { client: [client, clientPort], server: [server, serverPort] } as const;
    const transport: Transport = {
      kind: "tcp",
      sourcePort: ends[from][1],
      destinationPort: ends[to][1],
      sequence: next[from] - (isAgain ? payload.length : 0),
      acknowledgment: flags === TCP.syn ? 0 : next[to],
      flags,
      payload,
    };
    frames.push({ atMs: at, frame: frame({ source: ends[from][0], destination: ends[to][0], transport }) });
    if (!isAgain) next[from] += payload.length + ((flags & (TCP.syn | TCP.fin)) === 0 ? 0 : 1);
  };
  const nothing = new Uint8Array();
  send("client", atMs, TCP.syn, nothing);
  send("server", atMs + rttMs, TCP.syn | TCP.ack, nothing);
  send("client", atMs + rttMs, TCP.ack, nothing);
  const hello = greeting(spec);
  if (hello !== null) {
    send("client", atMs + rttMs, TCP.ack, hello[0]);
    send("server", atMs + 2 * rttMs, TCP.ack, hello[1]);
  }
  const data = mixed(segments(spec.sent), segments(spec.received));
  const start = atMs + 2 * rttMs;
  let toResend = spec.resent ?? 0;
  for (const [index, { from, size }] of data.entries()) {
    const at = start + lastsMs * pace((index + 1) / data.length);
    send(from, at, TCP.ack, pattern(size));
    if (from === "server" && toResend-- > 0) send(from, at, TCP.ack, pattern(size), true);
  }
  if (spec.isOver === true) {
    for (const end of ["client", "server"] as const)
      send(end, start + lastsMs + rttMs, TCP.fin | TCP.ack, nothing);
  }
  return frames;
}

export interface Lookup {
  client: string;
  clientPort: number;
  resolver: string;
  name: string;
  /** Addresses of the answer. */
  addresses?: readonly string[];
  /** 0, no error, unless given. */
  rcode?: number;
  atMs?: number;
  latencyMs?: number;
  isUnanswered?: boolean;
}

/** The frames of one lookup of an A record. */
export function lookup(spec: Lookup): Timed[] {
  const { client, clientPort, resolver, name, addresses = [], rcode = 0, atMs = 0, latencyMs = 0 } = spec;
  const answer =
    rcode === 0
      ? dnsAnswer(
          name,
          addresses.map((address) => addressRecord(name, address)),
          1,
          QUERY_ID,
        )
      : dnsMessage({ id: QUERY_ID, flags: 0x8180 | rcode, questions: [{ name, type: 1 }] });
  const udp = (sourcePort: number, destinationPort: number, payload: Uint8Array): Transport => ({
    kind: "udp",
    sourcePort,
    destinationPort,
    payload,
  });
  const query = udp(clientPort, DNS_PORT, dnsQuery(name, 1, QUERY_ID));
  const frames: Timed[] = [
    { atMs, frame: frame({ source: client, destination: resolver, transport: query }) },
  ];
  if (spec.isUnanswered !== true) {
    const transport = udp(DNS_PORT, clientPort, answer);
    frames.push({
      atMs: atMs + latencyMs,
      frame: frame({ source: resolver, destination: client, transport }),
    });
  }
  return frames;
}

/** A client's first datagram of QUIC (RFC 9000 section 17.2.2) with the name in it. */
function quicGreeting(name: string): Uint8Array {
  const message = clientHello({ serverName: name, alpn: ["h3"] });
  return initialPacket(concat(cryptoFrame(0, message), padding(DATAGRAM - message.length)));
}

/** Datagrams of one client and server, spread over a time; a name is asked for by QUIC. */
export function datagrams(spec: Omit<Exchange, "name"> & { name: string | null }): Timed[] {
  const {
    client,
    clientPort,
    server,
    serverPort,
    sent,
    received,
    atMs = 0,
    lastsMs = 0,
    pace = evenly,
  } = spec;
  const both = mixed(segments(sent), segments(received));
  const datagram = (isSent: boolean, at: number, payload: Uint8Array): Timed => ({
    atMs: at,
    frame: frame({
      source: isSent ? client : server,
      destination: isSent ? server : client,
      transport: {
        kind: "udp",
        sourcePort: isSent ? clientPort : serverPort,
        destinationPort: isSent ? serverPort : clientPort,
        payload,
      },
    }),
  });
  const first = spec.name === null ? [] : [datagram(true, atMs, quicGreeting(spec.name))];
  const rest = both.map(({ from, size }, index) =>
    datagram(from === "client", atMs + 1 + lastsMs * pace((index + 1) / both.length), pattern(size)),
  );
  return [...first, ...rest];
}

let files = 0;

/** Sends frames from the client's end, in order of time: so many a second, or each at its own time. */
export async function play(lab: Lab, frames: readonly Timed[], perSecond?: number): Promise<void> {
  const sorted = frames.toSorted((a, b) => a.atMs - b.atMs);
  const path = lab.path(`played-${files++}.pcap`);
  const timesNs = sorted.map(({ atMs }) => Math.round(atMs * 1e6));
  const bytes = sorted.map((each) => each.frame);
  await writePcap(path, bytes, perSecond === undefined ? { timesNs } : {});
  const speed = perSecond === undefined ? [] : ["--pps-multi=50", `--pps=${perSecond}`];
  const command = ["tcpreplay", "-i", VETH, "--timer=nano", ...speed, "--preload-pcap", path];
  const { stdout } = await lab.client.exec(command, { timeoutMs: TIMEOUT_MS });
  const packets = Number(/Successful packets:\s+(\d+)/.exec(stdout)?.[1]);
  if (packets !== sorted.length) throw new Error(`not all frames were sent:\n${stdout}`);
}
