import { registerCounter, registerGauge } from "../api/instruments.ts";
import type { Registry } from "../api/prom-client.ts";
import type { LoadedConfig } from "../config/load.ts";
import { compareConfig, type RunningConfig, takeLive } from "../config/reload.ts";
import { errorMessage, UsageError } from "../errors.ts";
import type { Logger } from "../log.ts";

export interface ReloadParts {
  running: RunningConfig;
  /** Reads the whole configuration again. @throws UsageError with all that is wrong with it. */
  load(): Promise<LoadedConfig>;
  /** Watches what these patterns mean; what is wrong with them, empty when they are taken. */
  watch(patterns: readonly string[]): string[];
  /** Called once what may change has changed; `changed` are the YAML keys. */
  taken(changed: readonly string[]): void;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** Takes a configuration that has changed into the running agent: as a whole or not at all. */
export class Reload {
  private readonly outcomes = { applied: 0, refused: 0 };
  /** Of the start or the last reload that was applied, in seconds since the epoch. */
  private successAt: number;
  private isLastGood = true;
  private under: Promise<void> | null = null;
  private isAskedAgain = false;

  constructor(private readonly parts: ReloadParts) {
    this.successAt = parts.now() / 1000;
  }

  /** True unless the last reload was refused. */
  get isGood(): boolean {
    return this.isLastGood;
  }

  /** Reloads. Asked while one is under way, another follows it, as the file may have changed since it was read. */
  ask(): Promise<void> {
    if (this.under !== null) this.isAskedAgain = true;
    this.under ??= this.all().finally(() => {
      this.under = null;
    });
    return this.under;
  }

  register(registry: Registry): void {
    registerCounter(registry, {
      name: "ayaflow_config_reloads_total",
      help: "How often the configuration was read again, and what came of it",
      labelNames: ["outcome"],
      read: () => Object.entries(this.outcomes).map(([outcome, count]) => [count, { outcome }]),
    });
    registerGauge(registry, {
      name: "ayaflow_config_last_reload_successful",
      help: "0 while the configuration that was read last is refused and an older one is in force",
      read: () => [[this.isLastGood ? 1 : 0]],
    });
    registerGauge(registry, {
      name: "ayaflow_config_last_reload_success_timestamp_seconds",
      help: "When the configuration in force was taken",
      read: () => [[this.successAt]],
    });
  }

  private async all(): Promise<void> {
    do {
      this.isAskedAgain = false;
      await this.once();
    } while (this.isAskedAgain);
  }

  private async once(): Promise<void> {
    const problems = await this.take().catch((error: unknown) =>
      error instanceof UsageError ? error.problems : [errorMessage(error)],
    );
    this.isLastGood = problems.length === 0;
    this.outcomes[this.isLastGood ? "applied" : "refused"]++;
    if (this.isLastGood) {
      this.successAt = this.parts.now() / 1000;
      return;
    }
    for (const problem of problems) this.parts.log.error(`configuration refused: ${problem}`);
    this.parts.log.error("the configuration of before stays in force; mend it and reload again");
  }

  /** Returns what is wrong; nothing was taken then. */
  private async take(): Promise<readonly string[]> {
    const { running, log } = this.parts;
    const next = await this.parts.load();
    const { live, restart } = compareConfig(running, next);
    if (live.includes("interface")) {
      const problems = this.parts.watch(next.config.interfaces);
      if (problems.length > 0) return problems.map((problem) => `interface: ${problem}`);
    }
    takeLive(running, next);
    for (const warning of next.warnings) log.warn(warning);
    this.parts.taken(live);
    if (restart.length > 0) log.warn(`needs a restart: ${restart.join(", ")}`);
    log.info("configuration reloaded", { changed: live.length === 0 ? "nothing" : live.join(",") });
    return [];
  }
}
