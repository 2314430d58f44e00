import { expect, test } from "bun:test";
import { countReport, formatCounts } from "../../support/junit.ts";

function report(totals: string, ...files: string[]): string {
  const suites = files.map((file) => `<testsuite name="${file}" file="${file}" tests="1"></testsuite>`);
  return `<?xml version="1.0"?>\n<testsuites name="bun test" ${totals} time="1">${suites.join("")}</testsuites>`;
}

test("counts what the report says", () => {
  const text = report('tests="9" assertions="20" failures="2" skipped="3"', "a.test.ts");
  expect(countReport(text, 1, ["a.test.ts"])).toEqual({ passed: 4, failed: 2, skipped: 3 });
});

test("a file that could not be loaded is a failure", () => {
  const text = report('tests="1" assertions="1" failures="0" skipped="0"', "a.test.ts");
  expect(countReport(text, 1, ["a.test.ts", "b.test.ts"])).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a crash without a report fails every file", () => {
  expect(countReport(null, 139, ["a.test.ts", "b.test.ts"])).toEqual({ passed: 0, failed: 2, skipped: 0 });
});

test("a bad exit code alone is a failure", () => {
  const text = report('tests="1" assertions="1" failures="0" skipped="0"', "a.test.ts");
  expect(countReport(text, 1, ["a.test.ts"])).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("skipped tests are named only if there are any, above the last line", () => {
  expect(formatCounts({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
  expect(formatCounts({ passed: 3, failed: 1, skipped: 2 })).toBe("2 skipped\n3 passed, 1 failed");
});
