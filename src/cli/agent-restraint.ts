import type { Shed } from "../bpf/kernel.ts";
import type { Config } from "../config/types.ts";
import { SWEEP_MS } from "../flow/agent.ts";
import { openOwnUse } from "../flow/own-use.ts";
import { Restraint, SHED_STEPS, type ShedStep } from "../flow/restraint.ts";
import type { Logger } from "../log.ts";

/** How much longer windows of history are while their detail is shed. */
const LONG_WINDOW = 6;
const SLOW_SWEEP_MS = 5000;

export interface RestraintDeps {
  /** The kernel pushes these no more. */
  shed(what: Shed): void;
  /** Windows are so many times as long. */
  stretchWindows(factor: number): void;
  sweepEvery(ms: number): void;
  /** Hands memory that is not needed back to the system. */
  giveBack: () => void;
  log: Logger;
  /** Monotonic milliseconds. */
  now: () => number;
}

type RestraintConfig = Pick<
  Config,
  "cpuBudgetPercent" | "memoryBudgetBytes" | "aggregationWindowSeconds" | "deepInspect"
>;

/** The steps that would spare anything with this configuration. */
function stepsOf({ aggregationWindowSeconds, deepInspect }: RestraintConfig): ShedStep[] {
  const raw = aggregationWindowSeconds === 0;
  const applies = { raw_rows: raw, inspection: deepInspect, history_detail: !raw, sweep_rate: true };
  return SHED_STEPS.filter((step) => applies[step]);
}

/** Keeps the running agent to `--cpu-budget` and `--memory-budget`. Call its `look` once a sweep. */
export function createRestraint(config: RestraintConfig, deps: RestraintDeps): Restraint {
  return new Restraint({
    budget: {
      get cpuPercent() {
        return config.cpuBudgetPercent;
      },
      get memoryBytes() {
        return config.memoryBudgetBytes;
      },
    },
    steps: stepsOf(config),
    use: openOwnUse(),
    apply(shed) {
      deps.shed({ packets: shed.includes("raw_rows"), payload: shed.includes("inspection") });
      deps.stretchWindows(shed.includes("history_detail") ? LONG_WINDOW : 1);
      deps.sweepEvery(shed.includes("sweep_rate") ? SLOW_SWEEP_MS : SWEEP_MS);
    },
    giveBack: deps.giveBack,
    log: deps.log,
    now: deps.now,
  });
}
