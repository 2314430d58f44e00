/** The page's files in one: the length of the index (32 bits, little-endian), the index as JSON, the files' bytes. */
import type { PageFile } from "./api/page.ts";

const LENGTH_BYTES = 4;

interface Entry extends Omit<PageFile, "body"> {
  path: string;
  /** Where the file begins behind the index, and its length. */
  offset: number;
  length: number;
}

/** Puts files together, by their path. */
export function packPage(files: ReadonlyMap<string, PageFile>): Uint8Array {
  const entries: Entry[] = [];
  let offset = 0;
  for (const [path, { body, ...about }] of files) {
    entries.push({ path, ...about, offset, length: body.byteLength });
    offset += body.byteLength;
  }
  const index = new TextEncoder().encode(JSON.stringify(entries));
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, index.byteLength, true);
  const parts = [length, index, ...[...files.values()].map(({ body }) => body)];
  const packed = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    packed.set(part, at);
    at += part.byteLength;
  }
  return packed;
}

/** The files of what `packPage` made, without copying them. */
export function unpackPage(packed: Uint8Array): Map<string, PageFile> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const start = LENGTH_BYTES + view.getUint32(0, true);
  const entries: Entry[] = JSON.parse(new TextDecoder().decode(packed.subarray(LENGTH_BYTES, start)));
  return new Map(
    entries.map(({ path, offset, length, ...about }) => [
      path,
      { ...about, body: packed.subarray(start + offset, start + offset + length) },
    ]),
  );
}
