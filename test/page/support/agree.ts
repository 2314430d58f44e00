import { expect } from "bun:test";

const WITHIN_MS = 12_000;
/** Each look is a round trip to the browser, and mostly one to the agent. */
const POLL_MS = 40;

/** Reads both until they are equal; fails with how they differ when they never are. */
export async function expectAgreement<T>(
  read: () => Promise<T>,
  expected: () => Promise<T> | T,
): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const [page, wanted] = [await read(), await expected()];
    if (Bun.deepEquals(page, wanted)) return;
    if (performance.now() > deadline) return expect(page).toEqual(wanted);
    await Bun.sleep(POLL_MS);
  }
}
