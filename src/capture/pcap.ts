import { AyaflowError } from "../errors.ts";
import type { ByteStream } from "./byte-stream.ts";
import { boundedTime, type CapturedFrame, damagedAt, MAX_CAPTURED } from "./frame.ts";

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** Kuznetzov's variant has the interface, protocol and packet type behind the lengths. */
const MODIFIED_RECORD_HEADER = 24;
const SUPPORTED_MAJOR = 2;
/** The upper half of the link type field tells of a frame check sequence. */
const LINK_TYPE_MASK = 0xffff;

interface Flavour {
  littleEndian: boolean;
  /** Units of a record's fraction of a second in a millisecond. */
  fractionsPerMs: number;
  recordHeader: number;
}

const MAGICS: ReadonlyMap<number, Omit<Flavour, "littleEndian">> = new Map([
  [0xa1b2c3d4, { fractionsPerMs: 1e3, recordHeader: RECORD_HEADER }],
  [0xa1b23c4d, { fractionsPerMs: 1e6, recordHeader: RECORD_HEADER }],
  [0xa1b2cd34, { fractionsPerMs: 1e3, recordHeader: MODIFIED_RECORD_HEADER }],
]);

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Which pcap file starts with these four bytes; null when none does. */
export function pcapFlavour(magic: Uint8Array): Flavour | null {
  if (magic.length < 4) return null;
  for (const littleEndian of [true, false]) {
    const flavour = MAGICS.get(view(magic).getUint32(0, littleEndian));
    if (flavour !== undefined) return { ...flavour, littleEndian };
  }
  return null;
}

/**
 * The records of a pcap file (draft-ietf-opsawg-pcap), from its first byte.
 * @throws AyaflowError where it is damaged or cut short, after what was whole.
 */
export async function* readPcap(stream: ByteStream, flavour: Flavour): AsyncGenerator<CapturedFrame> {
  const { littleEndian, fractionsPerMs, recordHeader } = flavour;
  await stream.need(FILE_HEADER, "the file header");
  const header = view(stream.take(FILE_HEADER));
  const major = header.getUint16(4, littleEndian);
  if (major !== SUPPORTED_MAJOR) {
    const minor = header.getUint16(6, littleEndian);
    throw new AyaflowError(`the capture is of pcap version ${major}.${minor}; only 2.x is known`);
  }
  const linkType = header.getUint32(20, littleEndian) & LINK_TYPE_MASK;
  while (stream.has(1) || (await stream.fill(1))) {
    if (!stream.has(recordHeader)) await stream.need(recordHeader, "a record header");
    const record = view(stream.peek(recordHeader));
    const captured = record.getUint32(8, littleEndian);
    if (captured > MAX_CAPTURED) {
      throw damagedAt(stream.offset, `a packet of ${captured} captured bytes, more than ${MAX_CAPTURED}`);
    }
    const whole = recordHeader + captured;
    if (!stream.has(whole)) await stream.need(whole, "a record");
    stream.take(recordHeader);
    const seconds = record.getUint32(0, littleEndian);
    yield {
      timeMs: boundedTime(seconds * 1000 + record.getUint32(4, littleEndian) / fractionsPerMs),
      linkType,
      interface: "",
      bytes: stream.take(captured).slice(),
      length: Math.max(record.getUint32(12, littleEndian), captured),
    };
  }
}
