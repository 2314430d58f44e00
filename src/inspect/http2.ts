import { HpackDecoder } from "./hpack.ts";
import { authorityName } from "./http-authority.ts";
import {
  FLAG_END_HEADERS,
  FRAME,
  FRAME_HEADER_BYTES,
  PREFACE,
  frameContent,
  readFrameHeader,
  type FrameHeader,
} from "./http2-frame.ts";
import { isDnsMedia } from "./http2-dns.ts";
import { Reader } from "./reader.ts";
import { BAD, MORE, NO, found, type Reading } from "./reading.ts";

/** What the first request of a connection says. */
export interface Http2Request {
  /** Name without port, as hostName makes it; null when there is none or it is an address. */
  authority: string | null;
  /** It asks for or brings a DNS message (RFC 8484), as far as its fields have come: others will follow. */
  carriesDns: boolean;
}

/** The fragments of a header block in one piece, and where the frame that ends it ends; the last may be cut. */
interface Block {
  bytes: Uint8Array;
  isWhole: boolean;
  end: number;
}

/** Whether `frame` may stand where the first request is awaited: no CONTINUATION without HEADERS, no DATA, no pushes. */
function isAwaited(frame: FrameHeader, isFirst: boolean): boolean {
  if (isFirst) return frame.type === FRAME.settings;
  return frame.type !== FRAME.data && frame.type !== FRAME.pushPromise && frame.type !== FRAME.continuation;
}

/** The header block whose HEADERS frame starts at `at`, as far as its frames are there; null if malformed. */
function readBlock(stream: Uint8Array, at: number): Block | null {
  const fragments: Uint8Array[] = [];
  const reader = new Reader(stream, at);
  let id: number | null = null;
  for (;;) {
    const frame = readFrameHeader(reader);
    if (!reader.ok) break;
    if (id !== null && (frame.type !== FRAME.continuation || frame.stream !== id)) return null;
    id = frame.stream;
    const payload = reader.take(frame.length);
    if (!reader.ok) break;
    const fragment = frameContent(frame, payload);
    if (fragment === null) return null;
    fragments.push(fragment);
    if ((frame.flags & FLAG_END_HEADERS) !== 0) {
      return { bytes: Buffer.concat(fragments), isWhole: true, end: reader.at };
    }
  }
  return { bytes: Buffer.concat(fragments), isWhole: false, end: stream.length };
}

function readRequest(block: Block): Reading<Http2Request> {
  let authority: Uint8Array | undefined;
  let host: Uint8Array | undefined;
  let carriesDns = false;
  const isValid = new HpackDecoder().decode(block.bytes, ({ name, value }) => {
    if (name === ":authority") authority ??= value;
    if (name === "host") host ??= value;
    if (name === "accept" || name === "content-type") carriesDns ||= isDnsMedia(value);
  });
  if (block.isWhole && !isValid) return BAD;
  // RFC 9113 section 8.3.1: the pseudo-header comes before the field, and counts.
  const named = authority ?? (block.isWhole ? host : undefined);
  if (named === undefined && !block.isWhole) return MORE;
  return found({ authority: named === undefined ? null : authorityName(named), carriesDns }, block.end);
}

/**
 * The first request of a client that starts with HTTP/2 in the clear (RFC 9113 section 3.3): preface, SETTINGS, other
 * frames, HEADERS with CONTINUATION. `used` is behind its header block.
 */
export function readHttp2(stream: Uint8Array): Reading<Http2Request> {
  const start = stream.subarray(0, PREFACE.length);
  if (!start.every((byte, index) => byte === PREFACE[index])) return NO;
  const reader = new Reader(stream, PREFACE.length);
  for (let isFirst = true; reader.left >= FRAME_HEADER_BYTES; isFirst = false) {
    const at = reader.at;
    const frame = readFrameHeader(reader);
    if (!isAwaited(frame, isFirst)) return BAD;
    if (frame.type === FRAME.headers) {
      const block = readBlock(stream, at);
      return block === null ? BAD : readRequest(block);
    }
    reader.skip(frame.length);
  }
  return MORE;
}
