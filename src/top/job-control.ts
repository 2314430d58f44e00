import { ENDING_SIGNALS } from "./terminal.ts";

/** Gives the terminal back, calls its argument, and takes the terminal again. */
type HandOver = (meanwhile: () => void) => Promise<void>;

/** For process.kill: all processes of the job, which a shell stops and continues as one. */
const WHOLE_JOB = 0;

/**
 * Stops as the terminal does, and returns when continued. SIGTSTP rather than SIGSTOP, for it stops nothing that has no
 * shell to continue it. Signals end the process meanwhile as if nobody listened: the terminal is not its own.
 */
function stopUntilContinued(pid: number): void {
  const listeners = [...ENDING_SIGNALS, "SIGTSTP" as const, "SIGCONT" as const].flatMap((signal) =>
    process.listeners(signal).map((listener) => ({ signal, listener })),
  );
  for (const { signal, listener } of listeners) process.off(signal, listener);
  process.kill(pid, "SIGTSTP");
  for (const { signal, listener } of listeners) process.on(signal, listener);
}

/** Lets the shell have the terminal while the process is stopped, and takes it again when it is continued. */
export class JobControl {
  private isAway = false;

  constructor(private readonly handOver: HandOver) {}

  /** Heeds SIGTSTP and SIGCONT until the function it returns is called. */
  readonly listen = (): (() => void) => {
    const onStop = () => void this.away(() => stopUntilContinued(process.pid));
    // After SIGSTOP, which no program sees: the shell has used the terminal.
    const onContinue = () => void this.away(() => {});
    process.on("SIGTSTP", onStop);
    process.on("SIGCONT", onContinue);
    return () => {
      process.off("SIGTSTP", onStop);
      process.off("SIGCONT", onContinue);
    };
  };

  /** Stops the job, as Ctrl-Z does on a terminal that is not in raw mode. */
  stop(): void {
    void this.away(() => stopUntilContinued(WHOLE_JOB));
  }

  private async away(meanwhile: () => void): Promise<void> {
    if (this.isAway) return;
    this.isAway = true;
    await this.handOver(meanwhile);
    this.isAway = false;
  }
}
