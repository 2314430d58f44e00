/** Counts of one `bun test` run. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

export function sum(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `12 passed, 0 failed` as the last line, above it `3 skipped` only if any. */
export function formatCounts(counts: Counts): string {
  const skipped = counts.skipped > 0 ? `${counts.skipped} skipped\n` : "";
  return `${skipped}${counts.passed} passed, ${counts.failed} failed`;
}

function attribute(element: string, name: string): string | undefined {
  return new RegExp(` ${name}="([^"]*)"`).exec(element)?.[1];
}

/**
 * Counts of Bun's JUnit report (`null` if it left none), given its exit code and the test files it was to run.
 * Files that could not be loaded are not in the report: each counts as one failure, as does a bad exit without any.
 */
export function countReport(report: string | null, exitCode: number, files: readonly string[]): Counts {
  const head = /<testsuites [^>]*>/.exec(report ?? "")?.[0] ?? "";
  const total = (name: string) => Number(attribute(head, name) ?? 0);
  const reported = new Set(
    [...(report ?? "").matchAll(/<testsuite [^>]*>/g)].map(([element]) => attribute(element, "file")),
  );
  const unloaded = files.filter((file) => !reported.has(file)).length;
  const failed = total("failures") + total("errors") + unloaded;
  const skipped = total("skipped");
  return {
    passed: total("tests") - total("failures") - total("errors") - skipped,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped,
  };
}
