const WAIT_MS = 10_000;
const POLL_MS = 5;

/** Polls `probe` until it gives something truthy; throws `message` after `timeoutMs`. What `probe` throws is final. */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  message: string | (() => string),
  timeoutMs: number = WAIT_MS,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms: ${typeof message === "string" ? message : message()}`);
    }
    await Bun.sleep(POLL_MS);
  }
}
