/** The results of all guests in one table. */
import type { Outcome } from "../guest/report.ts";
import type { GuestResult } from "./guest.ts";

const MARKS: Record<Outcome["status"], string> = { pass: "ok", fail: "FAIL", none: "-" };
const GAP = "  ";

function title({ kernel }: GuestResult): string {
  return `${kernel.release} ${kernel.architecture}`;
}

/** Whether a guest ran to its end and nothing failed in it. */
export function isGreen({ problem, outcomes }: GuestResult): boolean {
  return problem === null && outcomes.length > 0 && outcomes.every(({ status }) => status !== "fail");
}

/** A line a check, a column a guest. */
export function formatMatrix(results: readonly GuestResult[]): string {
  const checks = [...new Set(results.flatMap(({ outcomes }) => outcomes.map(({ check }) => check)))];
  const cell = ({ outcomes }: GuestResult, check: string) => {
    const found = outcomes.find((outcome) => outcome.check === check);
    return found === undefined ? "missing" : MARKS[found.status];
  };
  const rows = [
    ["kernel", ...results.map(title)],
    ["executable", ...results.map(({ executable }) => executable)],
    ["attached by", ...results.map(({ kernel }) => kernel.method)],
    ...checks.map((check) => [check, ...results.map((result) => cell(result, check))]),
    ["seconds", ...results.map(({ seconds }) => seconds.toFixed(0))],
    ["all", ...results.map((result) => (isGreen(result) ? "ok" : "FAIL"))],
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(GAP);
  return `${rows.map((row) => line(row).trimEnd()).join("\n")}\n`;
}

/** What failed, with the guest's own words; empty where nothing did. */
export function formatProblems(results: readonly GuestResult[]): string {
  return results
    .flatMap((result) => [
      ...(result.problem === null ? [] : [`${title(result)}: ${result.problem}\n`]),
      ...result.outcomes
        .filter(({ status }) => status === "fail")
        .map(({ check, detail }) => `${title(result)}: ${check}: ${detail}\n`),
    ])
    .join("\n");
}

/** What each check found, for those who want to know more than "ok". */
export function formatDetails(result: GuestResult): string {
  return result.outcomes
    .map(({ check, status, detail, seconds }) => `  ${MARKS[status]} ${check} (${seconds} s): ${detail}\n`)
    .join("");
}
