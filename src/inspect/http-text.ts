const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

/** Where a line stops: before its line end, and where the next one starts. */
export interface LineEnd {
  end: number;
  next: number;
}

/** One character a byte, so that offsets in the text are offsets in the bytes. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** The end of the line that starts at `at`: CRLF, or a bare LF (RFC 9112 section 2.2); null until it is there. */
export function lineEnd(bytes: Uint8Array, at: number): LineEnd | null {
  const lf = bytes.indexOf(LF, at);
  if (lf === -1) return null;
  return { end: lf > at && bytes[lf - 1] === CR ? lf - 1 : lf, next: lf + 1 };
}

/** Whether `byte` is white space within a line; false past the end. */
export function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

/** The range without white space and line ends around it. */
export function trimmed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const isOuter = (at: number) => isBlank(bytes[at]) || bytes[at] === CR || bytes[at] === LF;
  let from = start;
  let to = end;
  while (from < to && isOuter(from)) from++;
  while (to > from && isOuter(to - 1)) to--;
  return bytes.subarray(from, to);
}
