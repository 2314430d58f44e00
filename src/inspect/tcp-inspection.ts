import { type ClientHello, salvageClientHello } from "./client-hello.ts";
import { DnsConversation } from "./dns-conversation.ts";
import { helloNaming } from "./hello-naming.ts";
import { type Layer, readLayer } from "./layers.ts";
import {
  BUDGET_BYTES,
  BUDGET_PACKETS,
  type Findings,
  type PayloadPacket,
  type Side,
  type Wanted,
} from "./packet.ts";
import { readServerHello } from "./server-hello.ts";
import { TcpStream, WINDOW_BYTES } from "./tcp-stream.ts";
import { tlsVersionName } from "./tls-version.ts";
import type { Outcome } from "./types.ts";

/** Layers one inside the other that are followed: a proxy, its proxy, STARTTLS, and some that were refused. */
const MAX_LAYERS = 8;
/** Packets that the server may send before its hello: of what went before, sent again. */
const MAX_BEFORE_SERVER_HELLO = 6;

interface Sender {
  stream: TcpStream;
  /** Sequence number of the first byte: `isKnown` when the SYN told it. */
  start: number;
  isKnown: boolean;
  packets: number;
  bytes: number;
  layer: Layer;
}

/** Whether a side has sent as much as is looked at. */
function isSpent({ packets, bytes }: Sender): boolean {
  return packets >= BUDGET_PACKETS || bytes >= BUDGET_BYTES;
}

/** Finds the name that a TCP connection is about in the first bytes of both its sides. */
export class TcpInspection {
  private readonly senders: [Sender | null, Sender | null] = [null, null];
  private layers = 0;
  private hello: { side: Side; serverFrom: number } | null = null;
  private beforeServerHello = 0;
  private dns: DnsConversation | null = null;
  private isDone = false;

  constructor(
    private readonly findings: Findings,
    private readonly isDnsPort: boolean,
  ) {}

  /** Bytes of memory that its streams take. */
  get memory(): number {
    const streams = this.senders.reduce((sum, sender) => sum + (sender?.stream.memory ?? 0), 0);
    return streams + (this.dns?.memory ?? 0);
  }

  packet(packet: PayloadPacket): Wanted {
    if (this.isDone) return "none";
    const sender = this.senderOf(packet);
    sender.packets++;
    sender.bytes += packet.bytes.length;
    const hasGrown = sender.stream.add(packet.sequence, packet.bytes);
    if (this.dns !== null) {
      if (hasGrown || sender.stream.isStuck) this.dns.read(packet.side, sender.stream, packet.timeMs);
      if (this.dns.isNonsense) this.end("dns", "unparseable");
    } else if (this.hello !== null) {
      if (packet.side !== this.hello.side) this.awaitServerHello();
    } else if (hasGrown) {
      this.detect(packet.side, packet.timeMs);
    }
    return this.wanted();
  }

  /** The connection is over, or may take no more memory: tells how its inspection ended. */
  finish(): void {
    if (this.isDone || this.hello !== null || this.dns !== null) return;
    const sender = this.senders.find((one) => one?.layer.kind === "more") ?? null;
    if (sender === null || sender.layer.kind !== "more") {
      this.end("other", "none");
      return;
    }
    const { protocol } = sender.layer;
    const hello = protocol === "tls" ? salvageClientHello(sender.stream.bytes) : null;
    if (hello !== null) this.findings.learn(helloNaming(hello, "sni"));
    this.end(protocol, isSpent(sender) ? "budget" : "truncated");
  }

  private wanted(): Wanted {
    if (this.isDone) return "none";
    if (this.dns?.isEstablished === true) return "always";
    if (this.senders.every((sender) => sender !== null && isSpent(sender))) {
      this.finish();
      return "none";
    }
    return "budget";
  }

  private end(protocol: Parameters<Findings["count"]>[0], outcome: Outcome): void {
    this.findings.count(protocol, outcome);
    this.close();
  }

  private close(): void {
    this.isDone = true;
    this.senders[0] = null;
    this.senders[1] = null;
  }

  private senderOf(packet: PayloadPacket): Sender {
    const known = this.senders[packet.side];
    const start = packet.start ?? packet.sequence;
    if (known === null) {
      const sender: Sender = {
        stream: new TcpStream(start),
        start,
        isKnown: packet.start !== null,
        packets: 0,
        bytes: 0,
        layer: { kind: "more", protocol: "other" },
      };
      this.senders[packet.side] = sender;
      return sender;
    }
    const behind = (known.start - start) | 0;
    const isUndecided = !known.isKnown && this.layers === 0 && this.dns === null;
    // What came first was not the first. Behind a layer that was read, it is only sent again.
    if (isUndecided && behind > 0 && behind < WINDOW_BYTES) {
      known.stream.precede(start);
      known.start = start;
      known.layer = { kind: "more", protocol: "other" };
    }
    return known;
  }

  private detect(side: Side, timeMs: number): void {
    const sender = this.senders[side];
    if (sender === null) return;
    while (this.layers < MAX_LAYERS) {
      const layer = readLayer(sender.stream.bytes, this.isDnsPort);
      sender.layer = layer;
      if (layer.kind !== "proxy" && layer.kind !== "prefix") {
        this.take(side, layer, timeMs);
        return;
      }
      if (layer.kind === "proxy") this.named(layer.protocol, layer.host);
      this.layers++;
      sender.stream.drop(layer.used);
      sender.layer = { kind: "more", protocol: "other" };
      if (sender.stream.bytes.length === 0) return;
    }
  }

  private take(side: Side, layer: Layer, timeMs: number): void {
    switch (layer.kind) {
      case "tls":
        this.takeHello(side, layer.hello);
        return;
      case "http":
        this.named("http", layer.host);
        this.close();
        return;
      case "http2":
        this.named("http", layer.host);
        if (layer.carriesDns) this.startDns(side, "http2", timeMs);
        else this.close();
        return;
      case "dns":
        this.startDns(side, "tcp", timeMs);
        return;
      case "sslv2":
        this.end("tls", "none");
        return;
      case "bad":
        this.end(layer.protocol, "unparseable");
        return;
      case "no":
        if (this.senders.every((sender) => sender?.layer.kind === "no")) this.end("other", "none");
        return;
      case "more":
      case "proxy":
      case "prefix":
    }
  }

  /** The name that was asked for at a layer which needs no more looking. */
  private named(protocol: "http" | "socks", host: string | null): void {
    if (host !== null) this.findings.learn({ domain: host, domainSource: "http" });
    this.findings.count(protocol, host === null ? "none" : "found");
  }

  private takeHello(side: Side, hello: ClientHello): void {
    this.findings.learn(helloNaming(hello, "sni"));
    this.findings.count("tls", hello.serverName === null ? "none" : "found");
    const server = this.senders[side === 0 ? 1 : 0];
    this.hello = { side, serverFrom: this.layers === 0 ? 0 : (server?.stream.bytes.length ?? 0) };
    this.awaitServerHello();
  }

  private awaitServerHello(): void {
    if (this.hello === null) return;
    const server = this.senders[this.hello.side === 0 ? 1 : 0];
    if (server === null) return;
    const reading = readServerHello(server.stream.bytes.subarray(this.hello.serverFrom));
    if (reading.state === "found") {
      this.findings.learn({ tlsVersion: tlsVersionName(reading.value.version) });
      this.close();
    } else if (reading.state !== "more" || ++this.beforeServerHello >= MAX_BEFORE_SERVER_HELLO) {
      this.close();
    }
  }

  private startDns(side: Side, transport: "tcp" | "http2", timeMs: number): void {
    this.dns = new DnsConversation(transport, this.findings);
    for (const which of [side, side === 0 ? 1 : 0] as const) {
      const stream = this.senders[which]?.stream;
      if (stream !== undefined) this.dns.read(which, stream, timeMs);
    }
  }
}
