import type { AskTarget } from "../../../src/cli/ask-target.ts";
import type { Terminal } from "../../../src/cli/ask-terminal.ts";
import type { CommandIo } from "../../../src/cli/command-io.ts";
import { history } from "../../../src/cli/history-command.ts";
import { type HistoryFlags, readRequest } from "../../../src/cli/history-request.ts";
import { NOW_MS } from "../api/fixture.ts";

export const PIPE: Terminal = { width: Number.POSITIVE_INFINITY, ascii: false, hasErrors: false };

export interface Written {
  code: number;
  out: string;
  err: string;
}

/** What a command writes to; `take` has it. */
export function recording(): { io: CommandIo; out: () => string; err: () => string } {
  const chunks: Uint8Array[] = [];
  let err = "";
  const encoder = new TextEncoder();
  return {
    io: {
      out: (text) => void chunks.push(typeof text === "string" ? encoder.encode(text) : text.slice()),
      flush: async () => {},
      err: (text) => void (err += text),
    },
    out: () => Buffer.concat(chunks).toString("utf8"),
    err: () => err,
  };
}

/** The options and the rest for `ask` of all rows of the database of api/database.ts, on a wide terminal. */
export const at = (flags: HistoryFlags, filter = "", terminal: Partial<Terminal> = {}) =>
  [
    { since: "-5h", ...flags },
    { filter, nowMs: NOW_MS, terminal: { width: 200, ascii: false, hasErrors: false, ...terminal } },
  ] as const;

/** `ayaflow history` with these options at that time. */
export async function ask(
  target: AskTarget,
  flags: HistoryFlags,
  {
    filter = "",
    nowMs = Date.now(),
    terminal = PIPE,
  }: { filter?: string; nowMs?: number; terminal?: Terminal } = {},
): Promise<Written> {
  const { io, out, err } = recording();
  const code = await history(readRequest([filter], flags, nowMs), target, io, terminal);
  return { code, out: out(), err: err() };
}
