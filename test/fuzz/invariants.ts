import type { Reading } from "../../src/inspect/reading.ts";

/** Controls, formats, separators other than the space: what no found text may hold. */
const HIDDEN = /(?! )[\p{C}\p{Z}]/u;
/** A name of 255 bytes (RFC 1035), each of them as an octal escape. */
export const MAX_NAME_TEXT = 255 * 4;

/** @throws Error saying `what`, unless it holds. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`);
}

/** Text that was found: nothing hidden in it, and bounded. */
export function mustBeShown(text: string | null, longest = MAX_NAME_TEXT): void {
  if (text === null) return;
  must(text.length <= longest, `text of at most ${longest} characters, not ${text.length}`);
  must(!HIDDEN.test(text), `nothing hidden in ${JSON.stringify(text)}`);
}

/** What was found took some of the bytes that there are. */
export function mustFit<T>(reading: Reading<T>, length: number): void {
  if (reading.state !== "found") return;
  must(reading.used > 0 && reading.used <= length, `0 < used <= ${length}, not ${reading.used}`);
}

/**
 * A parser of a stream that says `no` or `bad` of its first bytes must not find anything in more of them: what is found
 * may not depend on how a stream is cut into packets.
 */
export function mustNotDependOnCuts<T>(
  read: (stream: Uint8Array) => Reading<T>,
  stream: Uint8Array,
  cut: number,
): Reading<T> {
  const whole = read(stream);
  mustFit(whole, stream.length);
  const part = read(stream.subarray(0, cut));
  mustFit(part, cut);
  const isOver = part.state === "no" || part.state === "bad";
  must(!isOver || whole.state !== "found", `${part.state} of ${cut} bytes, but found in ${stream.length}`);
  return whole;
}
