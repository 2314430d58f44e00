import { median } from "./measure.ts";

/** Medians of the second and of the last quarter of a run: what settles at its start is not growth. */
export interface Growth {
  before: number;
  after: number;
}

/** @throws with fewer than eight values. */
export function growthOf(values: readonly number[]): Growth {
  if (values.length < 8) throw new Error(`${values.length} samples are too few`);
  const quarter = Math.floor(values.length / 4);
  return {
    before: median(values.slice(quarter, 2 * quarter)),
    after: median(values.slice(-quarter)),
  };
}
