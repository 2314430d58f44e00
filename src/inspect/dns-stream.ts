import { HEADER_BYTES } from "./dns-name.ts";
import { Reader } from "./reader.ts";
import { found, MORE, NO, type Reading } from "./reading.ts";

const LENGTH_BYTES = 2;
/** Query to DSO (RFC 8490), the highest in use. */
const MAX_OPCODE = 6;
/** The root, a type and a class; a record also has a time to live and a length. */
const MIN_QUESTION = 5;
const MIN_RECORD = 11;

/** Whether a message of `length` bytes has room for what its header, where `reader` is, counts. */
function isPlausible(reader: Reader, length: number): boolean {
  reader.skip(2);
  const opcode = (reader.u16() >> 11) & 0xf;
  const questions = reader.u16();
  const records = reader.u16() + reader.u16() + reader.u16();
  const needed = HEADER_BYTES + questions * MIN_QUESTION + records * MIN_RECORD;
  return opcode <= MAX_OPCODE && needed <= length;
}

/**
 * The first message of one side of a TCP stream, without the 2-byte length in front of it (RFC 1035 section 4.2.2), as
 * a view; `used` counts the length, too. `no` where a header is too short or promises more than the message can hold.
 */
export function nextMessage(stream: Uint8Array): Reading<Uint8Array> {
  const reader = new Reader(stream);
  const length = reader.u16();
  if (!reader.ok) return MORE;
  if (length < HEADER_BYTES) return NO;
  if (stream.length < LENGTH_BYTES + HEADER_BYTES) return MORE;
  if (!isPlausible(reader, length)) return NO;
  const used = LENGTH_BYTES + length;
  return stream.length < used ? MORE : found(stream.subarray(LENGTH_BYTES, used), used);
}
