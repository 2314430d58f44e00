import { nextMessage } from "./dns-stream.ts";
import { Http2DnsReader } from "./http2-dns.ts";
import type { Findings, Side } from "./packet.ts";
import { type TcpStream, WINDOW_BYTES } from "./tcp-stream.ts";

const LENGTH_BYTES = 2;
/** Runs of bytes that were no message, after which it is no DNS. */
const MAX_FAILURES = 8;

/** DNS messages that follow one another on a TCP connection (RFC 7766), or within HTTP/2 in the clear (RFC 8484). */
export class DnsConversation {
  /** A message was read. */
  isEstablished = false;
  private readonly readers: readonly [Http2DnsReader, Http2DnsReader] | null;
  private failures = 0;

  constructor(
    transport: "tcp" | "http2",
    private readonly findings: Findings,
  ) {
    this.readers = transport === "tcp" ? null : [new Http2DnsReader(), new Http2DnsReader()];
  }

  /** It is not DNS after all. */
  get isNonsense(): boolean {
    return this.failures >= MAX_FAILURES;
  }

  /** Bytes of memory that it takes besides the streams. */
  get memory(): number {
    return this.readers === null ? 0 : this.readers[0].memory + this.readers[1].memory;
  }

  /** Takes the bytes in order that `side` has sent out of its stream. */
  read(side: Side, stream: TcpStream, timeMs: number): void {
    if (this.readers === null) this.readMessages(side, stream, timeMs);
    else this.readFrames(this.readers[side], side, stream, timeMs);
  }

  private readFrames(reader: Http2DnsReader, side: Side, stream: TcpStream, timeMs: number): void {
    // What is lost takes the state of the header compression along.
    if (stream.isStuck) this.failures = MAX_FAILURES;
    const { bytes } = stream;
    reader.push(bytes, (message) => this.take(message, side, timeMs, false));
    stream.drop(bytes.length);
  }

  private readMessages(side: Side, stream: TcpStream, timeMs: number): void {
    if (stream.isStuck) stream.skipGap();
    for (;;) {
      const { bytes } = stream;
      const reading = nextMessage(bytes);
      if (reading.state === "found") {
        this.take(reading.value, side, timeMs, false);
        stream.drop(reading.used);
      } else if (reading.state === "more") {
        if (bytes.length < WINDOW_BYTES) return;
        // Longer than what is kept: its start has the question.
        const [high = 0, low = 0] = bytes;
        this.take(bytes.subarray(LENGTH_BYTES), side, timeMs, true);
        stream.drop(LENGTH_BYTES + high * 256 + low);
      } else {
        this.failures++;
        // In the middle of a message, after a loss: the next segment may begin one.
        stream.drop(bytes.length);
        return;
      }
    }
  }

  private take(message: Uint8Array, side: Side, timeMs: number, isCut: boolean): void {
    if (!this.findings.dns(message, side, timeMs, isCut)) {
      this.failures++;
      return;
    }
    this.isEstablished = true;
    this.failures = 0;
  }
}
