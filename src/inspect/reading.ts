/**
 * What a parser makes of the bytes at the start of a stream:
 * `found` with the value and how many bytes it took; `more` when further bytes decide; `no` when this is another
 * protocol; `bad` when it is this protocol, but says nonsense.
 */
export type Reading<T> =
  | { state: "found"; value: T; used: number }
  | { state: "more" }
  | { state: "no" }
  | { state: "bad" };

export const MORE = { state: "more" } as const;
export const NO = { state: "no" } as const;
export const BAD = { state: "bad" } as const;

export function found<T>(value: T, used: number): Reading<T> {
  return { state: "found", value, used };
}
