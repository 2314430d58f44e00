/** PNG files (RFC 2083), made smaller. */
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around the data of a chunk. */
const CHUNK_BYTES = 12;

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}

/** The same picture, compressed as well as Deflate can: browsers save time instead. */
export function smallerPng(png: Buffer): Buffer {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({
      type: png.toString("latin1", at + 4, at + 8),
      data: png.subarray(at + 8, at + 8 + length),
    });
    at += CHUNK_BYTES + length;
  }
  const pixels = Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const others = chunks.filter(({ type }) => type !== "IDAT").map(({ type, data }) => chunk(type, data));
  const packed = chunk("IDAT", deflateSync(inflateSync(pixels), { level: 9 }));
  return Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    ...others.slice(0, -1),
    packed,
    ...others.slice(-1),
  ]);
}
