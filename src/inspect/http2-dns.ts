import { HpackDecoder } from "./hpack.ts";
import { latin1 } from "./http-text.ts";
import { ByteQueue } from "./http2-bytes.ts";
import {
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME,
  FRAME_HEADER_BYTES,
  PREFACE,
  frameContent,
  readFrameHeader,
  type FrameHeader,
} from "./http2-frame.ts";
import { Reader } from "./reader.ts";

/** RFC 8484 section 6. */
const MEDIA_TYPE = "application/dns-message";
/** Most bytes of a header block; its decoding cannot be skipped, so a larger one ends the reading. */
const MAX_BLOCK = 32_768;
/** Most bytes of the body of a message (RFC 1035 section 4.2.2). */
const MAX_MESSAGE = 65_535;
/** Most bytes of unfinished messages, and streams that have one: those that the other side reset never finish. */
const MAX_PENDING = 131_072;
const MAX_STREAMS = 256;
/** Most bytes of a target that a message is looked for in. */
const MAX_TARGET = 8192;

/** What an unfinished message takes besides its bytes, measured. */
const BODY_BYTES = 384;

type OnMessage = (dns: Uint8Array) => void;

/** A header block whose CONTINUATION frames are still to come. */
interface OpenBlock {
  /** The frame that started it. */
  frame: FrameHeader;
  fragments: ByteQueue;
}

/** The fields that tell a DNS message; the first of each counts. */
interface DnsFields {
  method?: Uint8Array;
  path?: Uint8Array;
  contentType?: Uint8Array;
}

/** Whether a field value is the media type of DNS messages (RFC 8484 section 6). */
export function isDnsMedia(contentType: Uint8Array | undefined): boolean {
  if (contentType === undefined) return false;
  const [type = ""] = latin1(contentType.subarray(0, MEDIA_TYPE.length + 2)).split(";");
  return type.trim().toLowerCase() === MEDIA_TYPE;
}

/** The message in the target of a GET (RFC 8484 section 4.1); null if there is none. */
function queryMessage({ method, path }: DnsFields): Uint8Array | null {
  if (method === undefined || path === undefined || path.length > MAX_TARGET) return null;
  if (latin1(method.subarray(0, 4)) !== "GET") return null;
  const text = /[?&]dns=([\w-]+)/.exec(latin1(path))?.[1];
  return text === undefined ? null : new Uint8Array(Buffer.from(text, "base64url"));
}

/**
 * Finds the DNS messages (RFC 8484) in one direction of an HTTP/2 connection in the clear, from its first byte on, with
 * or without the client's preface. Holds at most a frame, a header block, and 128 KiB of unfinished messages.
 */
export class Http2DnsReader {
  private readonly hpack = new HpackDecoder();
  /** Bodies of DNS messages as far as they have come, by stream. */
  private readonly bodies = new Map<number, ByteQueue>();
  private pendingBytes = 0;
  private block: OpenBlock | null = null;
  /** The unit that is being gathered: the payload of `frame`, or the header of the next one. */
  private unit: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  private filled = 0;
  private frame: FrameHeader | null = null;
  private skip = 0;
  private isBroken = false;

  /** Bytes of memory that it takes. */
  get memory(): number {
    let bytes = this.hpack.memory + this.unit.length + (this.block?.fragments.memory ?? 0);
    for (const body of this.bodies.values()) bytes += body.memory + BODY_BYTES;
    return bytes;
  }

  /** Takes the next bytes of the stream, and tells the DNS messages that they complete. Never throws by itself. */
  push(bytes: Uint8Array, onMessage: OnMessage): void {
    let at = 0;
    while (at < bytes.length && !this.isBroken) {
      const skipped = Math.min(this.skip, bytes.length - at);
      this.skip -= skipped;
      at += skipped;
      const part = bytes.subarray(at, at + this.unit.length - this.filled);
      this.unit.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      while (this.filled === this.unit.length && !this.isBroken) this.takeUnit(onMessage);
    }
  }

  private takeUnit(onMessage: OnMessage): void {
    const { unit, frame } = this;
    if (frame !== null) this.endFrame(frame, unit, onMessage);
    const next = frame === null ? this.startFrame(unit) : null;
    this.frame = next;
    this.unit = new Uint8Array(next?.length ?? FRAME_HEADER_BYTES);
    this.filled = 0;
  }

  /** The frame of which this is the header, if its payload is needed; null when that is skipped. */
  private startFrame(header: Uint8Array): FrameHeader | null {
    if (header.every((byte, index) => byte === PREFACE[index])) {
      this.skip = PREFACE.length - FRAME_HEADER_BYTES;
      return null;
    }
    const frame = readFrameHeader(new Reader(header));
    const { type, length, stream } = frame;
    const isContinued = type === FRAME.continuation && this.block?.frame.stream === stream;
    const isOfBlock = isContinued || type === FRAME.headers || type === FRAME.pushPromise;
    // RFC 9113 section 6.10: nothing may come between the frames of a block.
    const isMisplaced = this.block === null ? type === FRAME.continuation : !isContinued;
    this.isBroken = isMisplaced || (isOfBlock && length > MAX_BLOCK);
    if (this.isBroken) return null;
    if (isOfBlock || (type === FRAME.data && length <= MAX_MESSAGE && this.bodies.has(stream))) return frame;
    if (type === FRAME.data || type === FRAME.resetStream) this.drop(stream);
    this.skip = length;
    return null;
  }

  private endFrame(frame: FrameHeader, payload: Uint8Array, onMessage: OnMessage): void {
    const content = frameContent(frame, payload);
    if (content === null) {
      this.isBroken = true;
      return;
    }
    if (frame.type === FRAME.data) {
      this.append(frame.stream, content);
      if ((frame.flags & FLAG_END_STREAM) !== 0) this.finish(frame.stream, onMessage);
      return;
    }
    const block = this.block ?? { frame, fragments: new ByteQueue() };
    block.fragments.append(content);
    const isWhole = (frame.flags & FLAG_END_HEADERS) !== 0;
    this.block = isWhole ? null : block;
    if (block.fragments.length > MAX_BLOCK) this.isBroken = true;
    else if (isWhole) this.takeBlock(block.frame, block.fragments.bytes(), onMessage);
  }

  private takeBlock(frame: FrameHeader, block: Uint8Array, onMessage: OnMessage): void {
    const fields: DnsFields = {};
    const isValid = this.hpack.decode(block, ({ name, value }) => {
      if (name === ":method") fields.method ??= value;
      if (name === ":path") fields.path ??= value;
      if (name === "content-type") fields.contentType ??= value;
    });
    if (!isValid) {
      this.isBroken = true;
      return;
    }
    if (frame.type === FRAME.pushPromise) return;
    const query = queryMessage(fields);
    if (query !== null) onMessage(query);
    if ((frame.flags & FLAG_END_STREAM) !== 0) this.finish(frame.stream, onMessage);
    else if (isDnsMedia(fields.contentType)) {
      this.drop(frame.stream);
      this.bodies.set(frame.stream, new ByteQueue());
      this.dropOldest();
    }
  }

  private append(stream: number, part: Uint8Array): void {
    const body = this.bodies.get(stream);
    if (body === undefined) return;
    if (body.length + part.length > MAX_MESSAGE) {
      this.drop(stream);
      return;
    }
    body.append(part);
    this.pendingBytes += part.length;
    this.dropOldest();
  }

  private finish(stream: number, onMessage: OnMessage): void {
    const body = this.bodies.get(stream);
    this.drop(stream);
    if (body !== undefined && body.length > 0) onMessage(body.bytes());
  }

  private dropOldest(): void {
    for (const stream of this.bodies.keys()) {
      if (this.bodies.size <= MAX_STREAMS && this.pendingBytes <= MAX_PENDING) return;
      this.drop(stream);
    }
  }

  private drop(stream: number): void {
    this.pendingBytes -= this.bodies.get(stream)?.length ?? 0;
    this.bodies.delete(stream);
  }
}
