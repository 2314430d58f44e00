import { BAD, found, MORE, NO, type Reading } from "./reading.ts";

const HANDSHAKE = 22;
const RECORD_HEADER = 5;
const MAJOR_VERSION = 3;
const MAX_MINOR_VERSION = 4;
/** RFC 8446 section 5.2; TLS 1.2 allows more, but not before there are keys. */
const MAX_RECORD = (1 << 14) + 256;
/** Records without content that are passed over, as in OpenSSL; the RFCs set no limit, or allow none. */
const MAX_EMPTY_RECORDS = 32;
const MESSAGE_HEADER = 4;
/** Of a longer message only so many bytes are looked at. */
const MAX_BODY = 16 * 1024;
/** A hello with every field as short, and as long, as it can be. */
const SHORTEST_HELLO = 2 + 32 + 1 + 2 + 1;
const LONGEST_HELLO = 2 + 32 + (1 + 32) + (2 + 0xfffe) + (1 + 255) + (2 + 0xffff);

/** The first handshake message of one side of a stream. */
export interface HandshakeMessage {
  /** What follows the message's 4-byte header; its first bytes alone where `isCut`. */
  body: Uint8Array;
  isCut: boolean;
}

/** A stream whose records allow a handshake message: `isReady` when as much of it is there as is looked at. */
interface Gathered {
  state: "gathered";
  bytes: Uint8Array;
  isReady: boolean;
  used: number;
}

/** Whether the bytes from `at` on, perhaps none, begin a record of handshake messages. */
function isHandshakeRecord(stream: Uint8Array, at: number): boolean {
  const [type = HANDSHAKE, major = MAJOR_VERSION, minor = 0, high = 0, low = 0] = stream.subarray(
    at,
    at + RECORD_HEADER,
  );
  const isVersion = major === MAJOR_VERSION && minor <= MAX_MINOR_VERSION;
  return type === HANDSHAKE && isVersion && high * 256 + low <= MAX_RECORD;
}

/** The length that a message's header states; null while the header is incomplete. */
function statedLength(message: Uint8Array): number | null {
  const [, high = 0, middle = 0, low] = message;
  return low === undefined ? null : high * 0x10000 + middle * 256 + low;
}

function isComplete(message: Uint8Array): boolean {
  const length = statedLength(message);
  return length !== null && message.length >= MESSAGE_HEADER + Math.min(length, MAX_BODY);
}

/** Puts the content of handshake records together (RFC 8446 section 5.1) until the first message is complete. */
function gather(stream: Uint8Array): Gathered | typeof NO | typeof BAD {
  const buffer = new Uint8Array(Math.min(stream.length, MESSAGE_HEADER + MAX_BODY));
  let bytes = buffer.subarray(0, 0);
  let emptyRecords = 0;
  let at = 0;
  while (!isComplete(bytes)) {
    if (!isHandshakeRecord(stream, at)) return at === 0 ? NO : BAD;
    const start = at + RECORD_HEADER;
    if (start > stream.length) return { state: "gathered", bytes, isReady: false, used: at };
    const length = (stream[start - 2] ?? 0) * 256 + (stream[start - 1] ?? 0);
    if (length === 0 && ++emptyRecords > MAX_EMPTY_RECORDS) return BAD;
    const content = stream.subarray(start, start + Math.min(length, buffer.length - bytes.length));
    buffer.set(content, bytes.length);
    bytes = buffer.subarray(0, bytes.length + content.length);
    at = Math.min(start + length, stream.length);
  }
  return { state: "gathered", bytes, isReady: true, used: at };
}

function firstHandshake(stream: Uint8Array, type: number): Gathered | typeof NO | typeof BAD {
  const gathered = gather(stream);
  if (gathered.state !== "gathered") return gathered;
  if ((gathered.bytes[0] ?? type) !== type) return NO;
  const length = statedLength(gathered.bytes) ?? SHORTEST_HELLO;
  return length < SHORTEST_HELLO || length > LONGEST_HELLO ? BAD : gathered;
}

function messageOf(bytes: Uint8Array): HandshakeMessage {
  const end = MESSAGE_HEADER + (statedLength(bytes) ?? MAX_BODY);
  return { body: bytes.subarray(MESSAGE_HEADER, end), isCut: end > bytes.length };
}

/**
 * The hello of handshake type `type` that one side's stream starts with, through the TLS record layer (RFC 8446
 * section 5.1, RFC 5246 section 6.2), however it is spread over records. `used` goes to the end of the record that
 * completes it, or of the stream if that comes first. Of a hello over 16 KiB the first 16 KiB are found, cut.
 * `no`: the stream starts with something else; `bad`: with such a hello, but not in a way that TLS allows.
 */
export function readHandshake(stream: Uint8Array, type: number): Reading<HandshakeMessage> {
  const first = firstHandshake(stream, type);
  if (first.state !== "gathered") return first;
  return first.isReady ? found(messageOf(first.bytes), first.used) : MORE;
}

/** What is there of the hello that readHandshake looks for, whole or not; null where that says `no` or `bad`. */
export function partOfHandshake(stream: Uint8Array, type: number): HandshakeMessage | null {
  const first = firstHandshake(stream, type);
  return first.state === "gathered" ? messageOf(first.bytes) : null;
}
