/** Capture files built byte by byte, in either byte order. */
import type { CapturedFrame } from "../../../src/capture/capture.ts";
import { readCapture } from "../../../src/capture/capture.ts";
import { concat } from "../../support/bytes.ts";

export type Field = readonly [value: number | bigint, bytes: 1 | 2 | 4 | 8];

/** Numbers one after another, little-endian unless told otherwise. */
export function numbers(list: readonly Field[], littleEndian = true): Uint8Array {
  const out = new DataView(new ArrayBuffer(list.reduce((length, [, bytes]) => length + bytes, 0)));
  let at = 0;
  for (const [value, bytes] of list) {
    if (bytes === 1) out.setUint8(at, Number(value));
    else if (bytes === 2) out.setUint16(at, Number(value), littleEndian);
    else if (bytes === 4) out.setUint32(at, Number(value), littleEndian);
    else out.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), littleEndian);
    at += bytes;
  }
  return new Uint8Array(out.buffer);
}

export function pcapHeader({
  magic = 0xa1b2c3d4,
  major = 2,
  linkType = 1,
  littleEndian = true,
}: {
  magic?: number;
  major?: number;
  linkType?: number;
  littleEndian?: boolean;
} = {}): Uint8Array {
  return numbers(
    [
      [magic, 4],
      [major, 2],
      [4, 2],
      [0, 4],
      [0, 4],
      [262_144, 4],
      [linkType, 4],
    ],
    littleEndian,
  );
}

export function pcapRecord(
  bytes: Uint8Array,
  {
    seconds = 0,
    fraction = 0,
    length = bytes.length,
    captured = bytes.length,
    extra = 0,
    littleEndian = true,
  } = {},
): Uint8Array {
  const header = numbers(
    [
      [seconds, 4],
      [fraction, 4],
      [captured, 4],
      [length, 4],
    ],
    littleEndian,
  );
  return concat(header, new Uint8Array(extra).fill(0xee), bytes);
}

function padded(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array((4 - (bytes.length % 4)) % 4));
}

export function block(type: number, body: Uint8Array, littleEndian = true): Uint8Array {
  const whole = padded(body);
  const length: Field = [whole.length + 12, 4];
  return concat(numbers([[type, 4], length], littleEndian), whole, numbers([length], littleEndian));
}

/** Options of a block, with the end of options. */
export function options(list: readonly (readonly [code: number, value: Uint8Array])[], littleEndian = true) {
  const each = list.map(([code, value]) =>
    concat(
      numbers(
        [
          [code, 2],
          [value.length, 2],
        ],
        littleEndian,
      ),
      padded(value),
    ),
  );
  return concat(...each, numbers([[0, 4]]));
}

export function sectionHeader(littleEndian = true, major = 1): Uint8Array {
  const body = numbers(
    [
      [0x1a2b3c4d, 4],
      [major, 2],
      [0, 2],
      [0xffffffffffffffffn, 8],
    ],
    littleEndian,
  );
  return block(0x0a0d0d0a, body, littleEndian);
}

export function interfaceBlock({
  linkType = 1,
  snapLength = 0,
  name = "",
  resolution = null as number | null,
  offsetSeconds = null as bigint | null,
  littleEndian = true,
} = {}): Uint8Array {
  const list: [number, Uint8Array][] = [];
  if (name !== "") list.push([2, new TextEncoder().encode(name)]);
  if (resolution !== null) list.push([9, Uint8Array.of(resolution)]);
  if (offsetSeconds !== null) list.push([14, numbers([[offsetSeconds, 8]], littleEndian)]);
  const fixed = numbers(
    [
      [linkType, 2],
      [0, 2],
      [snapLength, 4],
    ],
    littleEndian,
  );
  return block(1, concat(fixed, options(list, littleEndian)), littleEndian);
}

export function enhancedPacket(
  bytes: Uint8Array,
  { index = 0, ticks = 0n, length = bytes.length, captured = bytes.length, littleEndian = true } = {},
): Uint8Array {
  const fixed = numbers(
    [
      [index, 4],
      [ticks >> 32n, 4],
      [ticks & 0xffffffffn, 4],
      [captured, 4],
      [length, 4],
    ],
    littleEndian,
  );
  return block(6, concat(fixed, bytes), littleEndian);
}

/** `bytes` as chunks of `size`. */
export async function* chunked(bytes: Uint8Array, size = bytes.length || 1): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** All the frames of a capture, and the message of the error it ends with. */
export async function readAll(
  source: AsyncIterable<Uint8Array>,
): Promise<{ frames: CapturedFrame[]; error: string | null }> {
  const frames: CapturedFrame[] = [];
  try {
    for await (const frame of readCapture(source)) frames.push(frame);
    return { frames, error: null };
  } catch (error) {
    return { frames, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
