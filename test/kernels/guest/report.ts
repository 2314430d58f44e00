/** What a guest tells the host, one line a check on the console. */

export interface Outcome {
  /** Column of the matrix. */
  check: string;
  /** `none`: this kernel has nothing to check here. */
  status: "pass" | "fail" | "none";
  /** What was found, in a few words; the error where it failed. */
  detail: string;
  seconds: number;
}

const outcomes: Outcome[] = [];

function tell(outcome: Outcome): void {
  outcomes.push(outcome);
  process.stdout.write(`@check ${JSON.stringify(outcome)}\n`);
}

/** Runs one check; it passes with the words it returns, and fails with what it throws. */
export async function check(name: string, work: () => Promise<string>): Promise<void> {
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 100) / 10;
  try {
    tell({ check: name, status: "pass", detail: await work(), seconds: seconds() });
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ check: name, status: "fail", detail, seconds: seconds() });
  }
}

/** Says why there is nothing to check. */
export function notHere(name: string, why: string): void {
  tell({ check: name, status: "none", detail: why, seconds: 0 });
}

/** Throws unless both are the same. */
export function expectEqual<T>(what: string, found: T, expected: T): void {
  if (Bun.deepEquals(found, expected)) return;
  throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

/** Throws `message` unless it holds. */
export function expectThat(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}
