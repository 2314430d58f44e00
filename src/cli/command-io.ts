/** Where a command that can print much writes to. */
export interface CommandIo {
  out(text: string | Uint8Array): void;
  /** Waits until all of `out` has been taken. Rejects when nobody reads it any more. */
  flush(): Promise<void>;
  err(text: string): void;
}

/** Standard output and error of this process. */
export function standardIo(): CommandIo {
  const sink = Bun.stdout.writer();
  let failure: unknown = null;
  return {
    out(text) {
      // A write that has to wait is a promise; what becomes of it is for `flush` to say.
      Promise.resolve(sink.write(text)).catch((error: unknown) => {
        failure ??= error;
      });
    },
    async flush() {
      await sink.flush();
      if (failure !== null) throw failure;
    },
    err: (text) => process.stderr.write(text),
  };
}

/** Whether the reader of a pipe, such as head(1), has seen enough. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
