import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** What configuration reads from the file system. */
export interface Files {
  /**
   * The text and the permission bits of a file, followed through links. Throws the system's error, or an Error for a
   * file that is a folder or too large.
   */
  read(path: string): { text: string; mode: number };
}

const MAX_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EACCES: "no permission to read it",
  EPERM: "no permission to read it",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in a circle",
};

/** Why a file could not be read, in words. */
export function readFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return REASONS[code] ?? error.message;
}

function readBounded(descriptor: number): string {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.toString("utf8", 0, length);
    length += count;
  }
  throw new Error("it is larger than 1 MiB");
}

/** The real file system; reads at most 1 MiB, so that a device or a wrong path cannot fill memory. */
export const systemFiles: Files = {
  read(path) {
    const descriptor = openSync(path, "r");
    try {
      return { mode: fstatSync(descriptor).mode & 0o777, text: readBounded(descriptor) };
    } finally {
      closeSync(descriptor);
    }
  },
};
