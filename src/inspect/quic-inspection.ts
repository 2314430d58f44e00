import { parseClientHello } from "./client-hello.ts";
import { helloNaming } from "./hello-naming.ts";
import { BUDGET_BYTES, BUDGET_PACKETS, type Findings, type PayloadPacket, type Wanted } from "./packet.ts";
import { QuicHandshake } from "./quic.ts";

/** What keys and counts take, measured: more than a TCP connection's. */
const HANDSHAKE_BYTES = 2048;

/** Finds the name that a QUIC connection is about in its first datagrams. */
export class QuicInspection {
  private readonly handshake = new QuicHandshake();
  private readonly spent = { packets: [0, 0], bytes: [0, 0] };
  private isDone = false;

  constructor(private readonly findings: Findings) {}

  /** Bytes of memory that it takes, roughly. */
  get memory(): number {
    return HANDSHAKE_BYTES + this.handshake.memory;
  }

  /** Takes one datagram. */
  packet({ bytes, length, side }: PayloadPacket): Wanted {
    if (this.isDone) return "none";
    const { packets, bytes: sizes } = this.spent;
    packets[side] = (packets[side] ?? 0) + 1;
    sizes[side] = (sizes[side] ?? 0) + bytes.length;
    this.handshake.datagram(bytes, bytes.length < length, side);
    const { state, clientHello } = this.handshake;
    if (clientHello !== null) this.take(clientHello);
    else if (state === "bad" || state === "no") this.end(state === "bad" ? "unparseable" : "none");
    else if ([0, 1].every((one) => this.isSpent(one))) this.finish();
    return this.isDone ? "none" : "budget";
  }

  /** The connection is over, or may take no more memory: tells how its inspection ended. */
  finish(): void {
    if (this.isDone) return;
    if ([0, 1].some((one) => this.isSpent(one))) this.end("budget");
    else this.end(this.handshake.failures > 0 && !this.handshake.isTruncated ? "unparseable" : "truncated");
  }

  private isSpent(side: number): boolean {
    const { packets, bytes } = this.spent;
    return (packets[side] ?? 0) >= BUDGET_PACKETS || (bytes[side] ?? 0) >= BUDGET_BYTES;
  }

  private take(body: Uint8Array): void {
    const hello = parseClientHello(body);
    if (hello === null) {
      this.end("unparseable");
      return;
    }
    this.findings.learn(helloNaming(hello, "quic"));
    this.end(hello.serverName === null ? "none" : "found");
  }

  private end(outcome: Parameters<Findings["count"]>[1]): void {
    this.isDone = true;
    this.findings.count("quic", outcome);
  }
}
