import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { History } from "../../../src/history/history.ts";
import {
  append,
  connection,
  droppedRows,
  open,
  recordingLogger,
  row,
  temporaryFolder,
  until,
} from "./fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

/** A file system of its own with `kib` KiB, or null where this process may not mount. */
function mountTmpfs(stack: AsyncDisposableStack, kib: number): string | null {
  const folder = temporaryFolder(stack);
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder]);
  if (exitCode !== 0) return null;
  stack.defer(() => void Bun.spawnSync(["umount", folder]));
  return folder;
}

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const canMount = process.getuid?.() === 0;

function accounted(history: History): number {
  const { rowsWritten, queued } = history.status();
  return rowsWritten + droppedRows(history) + queued;
}

/** Appends a few rows each few milliseconds until `condition`; how many. */
async function appendUntil(history: History, condition: () => boolean): Promise<number> {
  let appended = 0;
  await until(() => {
    for (let index = 0; index < 500; index++) append(history, row(connection((appended + index) % 3000)));
    appended += 500;
    return condition();
  });
  return appended;
}

test.skipIf(!canMount).each(["found full", "filled by another", "filled by history"])(
  "a disk %s stops history, not the agent, until there is space again",
  async (way) => {
    const folder = mountTmpfs(stack, 2048) ?? "";
    expect(folder).not.toBe("");
    const log = recordingLogger();
    const history = open(stack, folder, { log, queueCapacity: 5000 });
    const ballast = join(folder, "ballast");
    const fill = (keepFree: number) => {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - keepFree)));
    };
    let appended = 0;
    if (way === "filled by another")
      appended += await appendUntil(history, () => history.status().rowsWritten > 2000);
    fill(way === "filled by history" ? 1_000_000 : 0);

    appended += await appendUntil(history, () => history.status().failing !== null);
    appended += await appendUntil(
      history,
      () => droppedRows(history) > 0 && history.status().queued === 5000,
    );
    const failing = history.status();
    expect(failing.failing).toStartWith(`disk full: ${folder}/traffic.db: `);
    expect(failing.rowsDropped["disk_full"]).toBeGreaterThan(0);
    expect(failing.rowsDropped).toMatchObject({ write_error: 0 });
    expect(accounted(history)).toBe(appended);
    expect(history.reader.query({ limit: 1000 }).items.length).toBe(Math.min(1000, failing.rowsWritten));

    rmSync(ballast);
    await until(() => history.status().failing === null && history.status().queued === 0);
    appended += await appendUntil(history, () => history.status().rowsWritten > failing.rowsWritten + 5000);
    await history.writer.flush(5000);
    expect(history.status().failing).toBeNull();
    expect(accounted(history)).toBe(appended);
    const { rowsWritten } = history.status();
    await history.close();
    using db = new Database(join(folder, "traffic.db"), { readonly: true });
    expect(db.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(db.query("SELECT count(*) AS n FROM rows").get()).toEqual({ n: rowsWritten });
    const orphans =
      "SELECT count(*) AS n FROM rows WHERE conversation_id NOT IN (SELECT id FROM conversations)";
    expect(db.query(orphans).get()).toEqual({ n: 0 });
    expect(log.lines.at(-1)).toBe("history: rows are written again");
  },
);
