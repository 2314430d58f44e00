import { writeSync } from "node:fs";
import { constants } from "node:os";

/** The signals that end a program and leave it a moment. */
export const ENDING_SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;
const SIGNAL_BASE = 128;
const EXIT_FAILURE = 1;

/**
 * End of a synchronized update, no bracketed paste, attributes off, cursor shown, then back from the alternate screen
 * (DEC private modes 2026, 2004, 25 and 1049). Whatever of it was not on stays as it is.
 */
const RESTORE = "\u001b[?2026l\u001b[?2004l\u001b[0m\u001b[?25h\u001b[?1049l";

export interface TerminalGuard {
  /** Has something done first when the process is to end. */
  before(work: () => void): void;
  /** Gives the terminal back as it was found; once, further calls do nothing. */
  restore(): void;
}

function giveBack(): void {
  try {
    process.stdin.setRawMode(false);
  } catch {
    // The terminal is gone.
  }
  try {
    // Not through the stream: the process may end with the next statement.
    writeSync(1, RESTORE);
  } catch {
    // As above.
  }
}

/**
 * Sees to it that the terminal is given back however the process ends, short of SIGKILL. Call it before the terminal
 * is changed. A signal ends the process with 128 and its number, an error that nobody caught with 1, told on standard
 * error when the terminal can show it again.
 */
export function guardTerminal(): TerminalGuard {
  let isRestored = false;
  let first = () => {};
  const restore = () => {
    if (isRestored) return;
    isRestored = true;
    try {
      first();
    } catch {
      // Drawing may be what failed: the error that led here is the one to tell.
    }
    giveBack();
  };
  for (const signal of ENDING_SIGNALS) {
    process.on(signal, () => {
      restore();
      process.exit(SIGNAL_BASE + constants.signals[signal]);
    });
  }
  const onError = (error: unknown) => {
    restore();
    const text = error instanceof Error && error.stack !== undefined ? error.stack : String(error);
    process.stderr.write(`ayaflow: internal error: ${text}\n`);
    process.exit(EXIT_FAILURE);
  };
  process.on("uncaughtException", onError);
  process.on("unhandledRejection", onError);
  process.on("exit", restore);
  return {
    restore,
    before(work) {
      first = work;
    },
  };
}
