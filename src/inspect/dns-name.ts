import { MAX_NAME, safeText } from "./names.ts";
import { Reader } from "./reader.ts";

/** Length of the header, which no name is in (RFC 1035 section 4.1.1). */
export const HEADER_BYTES = 12;

const LABEL_TYPE = 0xc0;
const POINTER = 0xc0;
/** A name has at most 127 labels; a pointer before each of them is more than any sender needs. */
const MAX_POINTERS = 127;

/**
 * The name at `reader`, compressed or not (RFC 1035 sections 3.1 and 4.1.4), as safe text in lower case without the final
 * dot; `.` for the root. `reader.bytes` is the whole message: pointers count from its start.
 * Null for what is no name: past the end (then `reader.ok` is false), longer than 255 bytes, a label type that is not in
 * use (RFC 6891 section 5), or a pointer that does not go back to an earlier name.
 */
export function readName(reader: Reader): string | null {
  const labels: string[] = [];
  let source = reader;
  let start = reader.at;
  let length = 1;
  for (let pointers = 0; ; ) {
    const head = source.u8();
    if (!source.ok) return null;
    if ((head & LABEL_TYPE) === POINTER) {
      const target = ((head & ~LABEL_TYPE) << 8) | source.u8();
      pointers++;
      if (!source.ok || target >= start || target < HEADER_BYTES || pointers > MAX_POINTERS) return null;
      source = new Reader(reader.bytes, target);
      start = target;
      continue;
    }
    if ((head & LABEL_TYPE) !== 0) return null;
    if (head === 0) return labels.length === 0 ? "." : labels.join(".");
    length += head + 1;
    source.skip(head);
    if (!source.ok || length > MAX_NAME) return null;
    labels.push(safeText(source.bytes.subarray(source.at - head, source.at)));
  }
}
