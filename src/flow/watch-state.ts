export const WATCH_CHANGES = ["attached", "detached", "renamed", "reattached", "failed"] as const;
export type WatchChange = (typeof WATCH_CHANGES)[number];

/** What became of the interfaces, for the metrics. */
export interface WatchView {
  /** Watched now. */
  interfaces: number;
  /** Since start. */
  changes: Readonly<Record<WatchChange, number>>;
}

/** A gap in what was seen is told for so long. */
const TOLD_MS = 60_000;
/** Interfaces that are named in one sentence. */
const MAX_NAMED = 5;

/** `a, b and 7 more`. */
export function someOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  return names.slice(0, MAX_NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** How the interfaces that are to be watched fare: written by who follows them, read by health and metrics. */
export class WatchState {
  readonly changes: Record<WatchChange, number> = {
    attached: 0,
    detached: 0,
    renamed: 0,
    reattached: 0,
    failed: 0,
  };
  /** What patterns wait for, one sentence each. */
  waiting: readonly string[] = [];
  /** Interfaces for which there is no row, by name. */
  unwatched: readonly string[] = [];
  /** Why the interfaces cannot be followed at the moment. */
  trouble: string | null = null;
  /** Sentences by index of the interface that could not be attached. */
  private readonly failures = new Map<number, string>();
  /** When our programs were found taken away, by name. */
  private readonly repaired = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  failed(ifindex: number, sentence: string): void {
    this.changes.failed++;
    this.failures.set(ifindex, sentence);
  }

  /** An interface is attached, or not wanted any more. */
  mended(ifindex: number): void {
    this.failures.delete(ifindex);
  }

  reattached(name: string): void {
    this.changes.reattached++;
    this.repaired.set(name, this.now());
  }

  /** One sentence each; empty where all is well. */
  reasons(): string[] {
    for (const [name, at] of this.repaired) if (this.now() - at >= TOLD_MS) this.repaired.delete(name);
    const failures = [...this.failures.values()];
    const reasons = [...this.waiting, ...failures.slice(0, MAX_NAMED)];
    if (failures.length > MAX_NAMED)
      reasons.push(`${failures.length - MAX_NAMED} more interfaces cannot be watched; the log says why`);
    if (this.trouble !== null) reasons.push(this.trouble);
    if (this.unwatched.length > 0)
      reasons.push(`as many interfaces are watched as can be: not ${someOf(this.unwatched)}`);
    if (this.repaired.size > 0) {
      reasons.push(
        `somebody took the agent's programs off ${someOf([...this.repaired.keys()])}: attached again, ` +
          "packets in between were not seen",
      );
    }
    return reasons;
  }
}
