import type { Logger } from "../log.ts";
import { CpuMeter } from "./cpu-meter.ts";
import type { OwnUse } from "./own-use.ts";
import { isAre, listWords, type Resource, resourceWord, useWords } from "./restraint-words.ts";

/** What can be shed, in the order in which it goes. */
export const SHED_STEPS = ["raw_rows", "inspection", "history_detail", "sweep_rate"] as const;
export type ShedStep = (typeof SHED_STEPS)[number];

/** What the agent's own process may use; 0 is as much as it wants. */
export interface Budget {
  /** Of one core, user and system time. */
  cpuPercent: number;
  /** Resident. */
  memoryBytes: number;
}

export interface RestraintState {
  /** Over the last 5 s, or since something was last shed or came back. */
  cpuPercent: number;
  cpuBudgetPercent: number;
  residentBytes: number;
  memoryBudgetBytes: number;
  /** What is shed now, in the order in which it went. */
  shed: ShedStep[];
  /** How often something was shed since start. */
  stepsTaken: number;
}

export interface RestraintOptions {
  budget: Budget;
  /** Those of SHED_STEPS that would spare anything here, in their order. */
  steps: readonly ShedStep[];
  use(): OwnUse;
  /** Makes it so that exactly these are shed. */
  apply(shed: readonly ShedStep[]): void;
  /** Hands memory that is not needed back to the system. */
  giveBack: () => void;
  log: Pick<Logger, "warn" | "info">;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** The effect of a step is seen before the next one: three sweeps, less what timers are off. */
const SETTLE_MS = 3000 - 100;
/** Something comes back after use has stayed below this share of the budget for the time below. */
const CALM_RATIO = 0.8;
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 300_000;
/** Over the budget so soon after something came back, the next wait is twice as long ... */
const RELAPSE_MS = 30_000;
/** ... until nothing was shed for so long. */
const FORGET_MS = 600_000;
/** Memory given back so short ago is as much as there is to give. */
const GIVE_BACK_MS = 30_000;

const RESOURCES: readonly Resource[] = ["cpu", "memory"];

/** Keeps the agent to its budget: sheds one step after the other while use is over it, and takes them back. */
export class Restraint {
  private readonly meter = new CpuMeter();
  private residentBytes: number;
  private shed: { step: ShedStep; cause: Resource }[] = [];
  private stepsTaken = 0;
  /** When something last changed; undefined before the first look. */
  private changedAt: number | undefined;
  private calmSince: number | undefined;
  private waitMs = FIRST_WAIT_MS;
  private shedAt = -Infinity;
  private returnedAt = -Infinity;
  private gaveBackAt = -Infinity;

  constructor(private readonly options: RestraintOptions) {
    this.residentBytes = options.use().residentBytes;
  }

  /** Looks at the use and changes one thing at most. Called once a sweep, whatever its rate. */
  look(): void {
    const now = this.options.now();
    const { cpuMs, residentBytes } = this.options.use();
    this.meter.add(now, cpuMs);
    this.residentBytes = residentBytes;
    this.changedAt ??= now;
    if (now - this.shedAt >= FORGET_MS) this.waitMs = FIRST_WAIT_MS;
    const cause = RESOURCES.find((resource) => this.ratio(resource) > 1);
    if (cause === undefined) this.returnOne(now);
    else if (now - this.changedAt >= SETTLE_MS) this.shedOne(cause, now);
    else this.calmSince = undefined;
  }

  /** Use by budget, 0 where there is none. */
  ratio(resource: Resource): number {
    const { cpuPercent, memoryBytes } = this.options.budget;
    if (resource === "cpu") return cpuPercent === 0 ? 0 : this.meter.percent() / cpuPercent;
    return memoryBytes === 0 ? 0 : this.residentBytes / memoryBytes;
  }

  state(): RestraintState {
    const { cpuPercent, memoryBytes } = this.options.budget;
    return {
      cpuPercent: this.meter.percent(),
      cpuBudgetPercent: cpuPercent,
      residentBytes: this.residentBytes,
      memoryBudgetBytes: memoryBytes,
      shed: this.steps(),
      stepsTaken: this.stepsTaken,
    };
  }

  /** One sentence while something is shed. */
  reasons(): string[] {
    if (this.shed.length === 0) return [];
    const over = RESOURCES.filter((resource) => this.ratio(resource) > 1);
    const causes = RESOURCES.filter((resource) => this.shed.some((one) => one.cause === resource));
    const state = this.state();
    const use =
      over.length > 0
        ? over.map((resource) => useWords(resource, state)).join(" and ")
        : `keeping to the ${causes.map(resourceWord).join(" and ")} budget`;
    const end = over.length > 0 && this.next() === undefined ? ", and nothing is left to shed" : "";
    return [`${use}: ${listWords(state.shed)} ${isAre(state.shed)} shed${end}`];
  }

  private steps(): ShedStep[] {
    return this.shed.map(({ step }) => step);
  }

  private next(): ShedStep | undefined {
    return this.options.steps[this.shed.length];
  }

  private shedOne(cause: Resource, now: number): void {
    this.calmSince = undefined;
    if (cause === "memory" && this.giveBack(now)) return;
    const step = this.next();
    if (step === undefined) return;
    if (now - this.returnedAt < RELAPSE_MS) this.waitMs = Math.min(this.waitMs * 2, LONGEST_WAIT_MS);
    this.returnedAt = -Infinity;
    this.shedAt = now;
    this.stepsTaken++;
    this.shed.push({ step, cause });
    this.options.log.warn(`${useWords(cause, this.state())}: ${listWords([step])} ${isAre([step])} shed`);
    this.changed(now);
  }

  private returnOne(now: number): void {
    const last = this.shed.at(-1);
    if (last === undefined) return;
    if (this.ratio(last.cause) >= CALM_RATIO) {
      this.calmSince = undefined;
      if (last.cause === "memory") this.giveBack(now);
      return;
    }
    this.calmSince ??= now;
    if (now - this.calmSince < this.waitMs) return;
    this.shed.pop();
    this.returnedAt = now;
    const back = `${listWords([last.step])} ${isAre([last.step])} back`;
    this.options.log.info(`${useWords(last.cause, this.state())}: ${back}`);
    this.changed(now);
  }

  private changed(now: number): void {
    this.changedAt = now;
    this.calmSince = undefined;
    this.meter.restart();
    this.options.apply(this.steps());
  }

  /** Gives memory back, unless that was done since the last change and not long ago. Returns whether it did. */
  private giveBack(now: number): boolean {
    const isFresh = this.gaveBackAt > (this.changedAt ?? -Infinity) && now - this.gaveBackAt < GIVE_BACK_MS;
    if (isFresh) return false;
    this.gaveBackAt = now;
    this.options.giveBack();
    return true;
  }
}
