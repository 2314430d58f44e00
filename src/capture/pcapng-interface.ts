import { boundedTime } from "./frame.ts";

/** An interface of a pcapng section. */
export interface CaptureInterface {
  linkType: number;
  /** The most that was captured of a packet; 0 for no limit. */
  snapLength: number;
  name: string;
  ticksPerSecond: bigint;
  /** Seconds to add to each time. */
  offsetSeconds: number;
}

const OPTION_END = 0;
const OPTION_NAME = 2;
const OPTION_RESOLUTION = 9;
const OPTION_OFFSET = 14;
const OPTION_HEADER = 4;
const DEFAULT_TICKS = 1_000_000n;
const MAX_NAME = 64;
/** What would move a terminal's cursor or reorder its text. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const text = new TextDecoder();

function interfaceName(bytes: Uint8Array): string {
  // Some writers count the NUL that ends a C string.
  const end = bytes.indexOf(0);
  return text
    .decode(end === -1 ? bytes : bytes.subarray(0, end))
    .slice(0, MAX_NAME)
    .replaceAll(UNSAFE, "\ufffd");
}

/** Section 4.2: a negative power of ten, or of two when the highest bit is set. */
function ticksPerSecond(resolution: number): bigint {
  const exponent = BigInt(resolution & 0x7f);
  return (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
}

function readOptions(body: DataView, littleEndian: boolean, into: CaptureInterface): void {
  let at = 8;
  while (at + OPTION_HEADER <= body.byteLength) {
    const code = body.getUint16(at, littleEndian);
    const length = body.getUint16(at + 2, littleEndian);
    const value = at + OPTION_HEADER;
    if (code === OPTION_END || value + length > body.byteLength) return;
    if (code === OPTION_NAME) {
      const name = interfaceName(new Uint8Array(body.buffer, body.byteOffset + value, length));
      if (name !== "") into.name = name;
    } else if (code === OPTION_RESOLUTION && length === 1) {
      into.ticksPerSecond = ticksPerSecond(body.getUint8(value));
    } else if (code === OPTION_OFFSET && length === 8) {
      into.offsetSeconds = Number(body.getBigInt64(value, littleEndian));
    }
    at = value + Math.ceil(length / 4) * 4;
  }
}

/** The interface that an Interface Description Block's body of at least 8 bytes describes, the `index`th of its section. */
export function readInterface(body: DataView, littleEndian: boolean, index: number): CaptureInterface {
  const read: CaptureInterface = {
    linkType: body.getUint16(0, littleEndian),
    snapLength: body.getUint32(4, littleEndian),
    name: `if${index}`,
    ticksPerSecond: DEFAULT_TICKS,
    offsetSeconds: 0,
  };
  readOptions(body, littleEndian, read);
  return read;
}

/** Milliseconds since the epoch of a packet's time in ticks, given as two 32-bit halves. */
export function interfaceTime(from: CaptureInterface, high: number, low: number): number {
  const ticks = (BigInt(high) << 32n) | BigInt(low);
  const seconds = Number(ticks / from.ticksPerSecond) + from.offsetSeconds;
  const rest = Number(ticks % from.ticksPerSecond);
  return boundedTime(seconds * 1000 + (rest * 1000) / Number(from.ticksPerSecond));
}
