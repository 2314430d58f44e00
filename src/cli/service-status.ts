import type { Stats } from "../flow/types.ts";
import type { Reload } from "./reload.ts";
import type { ServiceManager } from "./service.ts";

/** The status line changes so often at most: each costs systemd a look as well. */
const STATUS_MS = 10_000;

export interface StatusParts {
  service: ServiceManager;
  monitor: { stats(): Stats };
  reload: Pick<Reload, "isGood">;
  /** Monotonic milliseconds. */
  now: () => number;
}

const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Tells the service manager how the agent is: a line now and then, and when the configuration is read again. */
export class StatusTeller {
  private toldAt: number;
  private isReloading = false;

  constructor(private readonly parts: StatusParts) {
    this.toldAt = parts.now();
  }

  text(): string {
    const { monitor, reload } = this.parts;
    const { watch, activeConnections, coverage } = monitor.stats();
    const refused = reload.isGood
      ? ""
      : "configuration refused, the one of before is in force; the log says why. ";
    const interfaces = plural(watch.interfaces, "interface");
    // Down, so that 100% says that nothing at all was lost.
    const percent = Math.floor(coverage * 1000) / 10;
    return `${refused}${interfaces}, ${plural(activeConnections, "connection")}, coverage ${percent}%`;
  }

  /** Called once a sweep. */
  look(): void {
    if (this.parts.now() - this.toldAt < STATUS_MS) return;
    this.toldAt = this.parts.now();
    this.parts.service.status(this.text());
  }

  /** `reload` never rejects; called during another it only asks for a further one. */
  whileReloading(reload: () => Promise<void>): void {
    const done = reload();
    if (this.isReloading) return;
    this.isReloading = true;
    this.parts.service.reloading();
    void done.then(() => {
      this.isReloading = false;
      this.parts.service.ready(this.text());
    });
  }
}
