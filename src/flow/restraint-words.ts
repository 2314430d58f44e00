import type { RestraintState, ShedStep } from "./restraint.ts";

export type Resource = "cpu" | "memory";

const MIB = 1024 ** 2;

const STEP_WORDS: Readonly<Record<ShedStep, string>> = {
  raw_rows: "raw rows",
  inspection: "inspection",
  history_detail: "history detail",
  sweep_rate: "sweep rate",
};

/** At most one digit behind the point. */
const tenths = (value: number): string => String(Math.round(value * 10) / 10);
const mebibytes = (bytes: number): string => `${tenths(bytes / MIB)} MiB`;

export const resourceWord = (resource: Resource): string => (resource === "cpu" ? "CPU" : "memory");

/** `using 12.3% of a core, its budget is 10%`, or the same of memory. */
export function useWords(resource: Resource, state: RestraintState): string {
  return resource === "cpu"
    ? `using ${tenths(state.cpuPercent)}% of a core, its budget is ${state.cpuBudgetPercent}%`
    : `using ${mebibytes(state.residentBytes)} of memory, its budget is ${mebibytes(state.memoryBudgetBytes)}`;
}

/** `inspection`, `raw rows and inspection`, `raw rows, inspection and sweep rate`. */
export function listWords(steps: readonly ShedStep[]): string {
  const words = steps.map((step) => STEP_WORDS[step]);
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

/** `is` or `are`, behind `listWords` of the same steps. */
export function isAre(steps: readonly ShedStep[]): string {
  return steps.length === 1 && steps[0] !== "raw_rows" ? "is" : "are";
}
