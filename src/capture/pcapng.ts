import { AyaflowError } from "../errors.ts";
import type { ByteStream } from "./byte-stream.ts";
import { type CapturedFrame, damagedAt, MAX_CAPTURED } from "./frame.ts";
import { type CaptureInterface, interfaceTime, readInterface } from "./pcapng-interface.ts";

const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const SUPPORTED_MAJOR = 1;
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
/** The part of a body before its options or data. */
const FIXED_LENGTH: ReadonlyMap<number, number> = new Map([
  [SECTION_HEADER, 16],
  [INTERFACE_DESCRIPTION, 8],
  [OBSOLETE_PACKET, 20],
  [SIMPLE_PACKET, 4],
  [ENHANCED_PACKET, 20],
]);
/** Type and length in front, length again behind. */
const BLOCK_HEAD = 8;
const BLOCK_TAIL = 4;
const MAX_BLOCK = 16 * 1024 * 1024;
const MAX_INTERFACES = 65_536;
const NO_BODY = new DataView(new ArrayBuffer(0));

/** What the blocks of a section share. */
interface Section {
  littleEndian: boolean;
  interfaces: CaptureInterface[];
}

interface Block {
  type: number;
  /** Where it begins in the file. */
  offset: number;
  body: DataView;
}

/** Whether a pcapng file starts with these four bytes. */
export function isPcapng(magic: Uint8Array): boolean {
  return magic.length >= 4 && view(magic).getUint32(0) === SECTION_HEADER;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

async function startSection(stream: ByteStream): Promise<Section> {
  await stream.need(BLOCK_HEAD + 8, "a section header");
  const head = view(stream.peek(BLOCK_HEAD + 8));
  const littleEndian = head.getUint32(BLOCK_HEAD, true) === BYTE_ORDER_MAGIC;
  if (!littleEndian && head.getUint32(BLOCK_HEAD) !== BYTE_ORDER_MAGIC) {
    throw damagedAt(stream.offset, "a section header without byte order");
  }
  const major = head.getUint16(BLOCK_HEAD + 4, littleEndian);
  if (major !== SUPPORTED_MAJOR) {
    const minor = head.getUint16(BLOCK_HEAD + 6, littleEndian);
    throw new AyaflowError(`the capture is of pcapng version ${major}.${minor}; only 1.x is known`);
  }
  return { littleEndian, interfaces: [] };
}

/** The next block, whose first 8 bytes are there; null when it is of a kind that says nothing of packets. */
async function readBlock(stream: ByteStream, littleEndian: boolean): Promise<Block | null> {
  const { offset } = stream;
  const head = view(stream.peek(BLOCK_HEAD));
  const type = head.getUint32(0, littleEndian);
  const length = head.getUint32(4, littleEndian);
  const fixed = FIXED_LENGTH.get(type);
  if (length % 4 !== 0 || length < BLOCK_HEAD + (fixed ?? 0) + BLOCK_TAIL || length > MAX_BLOCK) {
    throw damagedAt(offset, `a block of type ${type} with the impossible length ${length}`);
  }
  let body: DataView = NO_BODY;
  if (fixed === undefined) {
    await stream.skip(length - BLOCK_TAIL, "a block");
  } else {
    if (!stream.has(length)) await stream.need(length, "a block");
    body = view(stream.take(length - BLOCK_TAIL).subarray(BLOCK_HEAD));
  }
  if (!stream.has(BLOCK_TAIL)) await stream.need(BLOCK_TAIL, "the length behind a block");
  const again = view(stream.take(BLOCK_TAIL)).getUint32(0, littleEndian);
  if (again !== length)
    throw damagedAt(offset, `a block that is ${length} bytes long in front, ${again} behind`);
  return fixed === undefined ? null : { type, offset, body };
}

interface Packet {
  interfaceIndex: number;
  /** The time's two halves; null when the block has none. */
  time: { high: number; low: number } | null;
  captured: number;
  length: number;
  dataAt: number;
}

/** The fields of a packet block (sections 4.3, 4.4 and appendix A of draft-ietf-opsawg-pcapng). */
function packetOf({ type, body }: Block, { littleEndian, interfaces }: Section): Packet {
  const u32 = (at: number) => body.getUint32(at, littleEndian);
  if (type === SIMPLE_PACKET) {
    const length = u32(0);
    const limit = interfaces[0]?.snapLength || Number.POSITIVE_INFINITY;
    // The data is padded to 4 bytes; how much of it was captured follows from the limit alone.
    const captured = Math.min(length, limit, body.byteLength - 4);
    return { interfaceIndex: 0, time: null, captured, length, dataAt: 4 };
  }
  return {
    interfaceIndex: type === ENHANCED_PACKET ? u32(0) : body.getUint16(0, littleEndian),
    time: { high: u32(4), low: u32(8) },
    captured: u32(12),
    length: u32(16),
    dataAt: 20,
  };
}

/** The frame of a packet block. One without a time gets `lastMs`, that of the packet before. */
function frameOf(block: Block, section: Section, lastMs: number): CapturedFrame {
  const { interfaceIndex, time, captured, length, dataAt } = packetOf(block, section);
  const { body, offset } = block;
  const from = section.interfaces[interfaceIndex];
  if (from === undefined)
    throw damagedAt(offset, `a packet of interface ${interfaceIndex}, which is not described`);
  if (captured > MAX_CAPTURED) {
    throw damagedAt(offset, `a packet of ${captured} captured bytes, more than ${MAX_CAPTURED}`);
  }
  if (dataAt + captured > body.byteLength) {
    throw damagedAt(offset, `a packet of ${captured} captured bytes in a block of ${body.byteLength}`);
  }
  return {
    timeMs: time === null ? lastMs : interfaceTime(from, time.high, time.low),
    linkType: from.linkType,
    interface: from.name,
    bytes: new Uint8Array(body.buffer, body.byteOffset + dataAt, captured).slice(),
    length: Math.max(length, captured),
  };
}

/**
 * The packets of a pcapng file (draft-ietf-opsawg-pcapng), from its first byte: sections of either byte order, each with
 * its own interfaces. Blocks that hold no packets are passed over.
 * @throws AyaflowError where it is damaged or cut short, after what was whole.
 */
export async function* readPcapng(stream: ByteStream): AsyncGenerator<CapturedFrame> {
  let section: Section = { littleEndian: true, interfaces: [] };
  let lastMs = 0;
  while (stream.has(1) || (await stream.fill(1))) {
    if (!stream.has(BLOCK_HEAD)) await stream.need(BLOCK_HEAD, "a block header");
    if (isPcapng(stream.peek(4))) section = await startSection(stream);
    const block = await readBlock(stream, section.littleEndian);
    if (block === null || block.type === SECTION_HEADER) continue;
    if (block.type === INTERFACE_DESCRIPTION) {
      const { interfaces, littleEndian } = section;
      if (interfaces.length === MAX_INTERFACES) {
        throw damagedAt(block.offset, `more than ${MAX_INTERFACES} interfaces in a section`);
      }
      interfaces.push(readInterface(block.body, littleEndian, interfaces.length));
      continue;
    }
    const frame = frameOf(block, section, lastMs);
    lastMs = frame.timeMs;
    yield frame;
  }
}
