/** Exit codes of the command: 0 done, 1 failure, 2 the command line or the configuration is wrong. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/**
 * An error meant for a person: `message` is printed as it stands, without a stack.
 * `cause` keeps the error it came from, for `--log-level debug`.
 */
export class AyaflowError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "AyaflowError";
    this.exitCode = options.exitCode ?? EXIT_FAILURE;
  }
}

/** Bad usage: every problem found, one line each. Exit code 2. */
export class UsageError extends AyaflowError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"), { exitCode: EXIT_USAGE });
    this.name = "UsageError";
    this.problems = problems;
  }
}

/** The text of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
