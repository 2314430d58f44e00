/**
 * `ayaflow top` that fails when it is told to: `bun top-crash.ts URL`. On SIGUSR1 outside of drawing, on SIGUSR2 while it
 * draws.
 */
import { top } from "../../../src/top/top.ts";

export const TOP_CRASH = import.meta.path;

if (import.meta.main) {
  const fail = () => {
    throw new Error("made to fail");
  };
  process.on("SIGUSR1", fail);
  process.on("SIGUSR2", () => {
    Date.now = fail;
  });
  const url = process.argv[2] ?? "";
  process.exit(await top({ url, token: null, filter: "", intervalMs: 100, ascii: false, color: true }));
}
