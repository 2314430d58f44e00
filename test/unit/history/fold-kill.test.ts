import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { open, START_MS, temporaryFolder } from "./fixture.ts";
import { expectConversations, expectExactSums, expectSound, settle, TestClock } from "./fold-fixture.ts";
import { numbers } from "./rows.ts";

// Bounds a hang only: other work on the machine may make it slow.
setDefaultTimeout(180_000);

const KILLS = 50;
const KILLS_OF_FILE = 10;
/** The last kill comes after so many lines that a child has written. */
const MAX_LINES = 40;

/** Runs the child until it has written `lines` lines and a moment more; what it said last. */
async function runAndKill(
  path: string,
  startMs: number,
  seed: number,
  lines: number,
): Promise<{ written: number; nowMs: number }> {
  const script = join(import.meta.dir, "fold-child.ts");
  const child = Bun.spawn([process.execPath, script, path, String(startMs), String(seed)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  let text = "";
  const decoder = new TextDecoder();
  // Not ended before the kill: a pipe that nobody reads would end the child.
  const reader = child.stdout.getReader();
  while (text.split("\n").length <= lines) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value);
  }
  await Bun.sleep(seed % 8);
  child.kill("SIGKILL");
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  const [written = 0, nowMs = startMs] = (text.split("\n").at(-2) ?? "").split(" ").map(Number);
  return { written, nowMs };
}

function inspect(path: string): { rows: number; isInTheMiddle: boolean } {
  using db = new Database(path, { readonly: true });
  const count = (sql: string) =>
    db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${sql}`).get()?.n ?? 0;
  const unfinished = count(
    "rollups AS r JOIN levels AS l ON l.id = r.level WHERE r.bucket * CASE r.level WHEN 1 THEN 60000 WHEN 2 THEN 3600000 ELSE 86400000 END >= coalesce(l.watermark, 0)",
  );
  return { rows: count("rows"), isInTheMiddle: unfinished > 0 };
}

test(`killed ${KILLS} times while it folds, no row is lost or counted twice at any level`, async () => {
  using stack = new DisposableStack();
  const pick = numbers(11);
  let middles = 0;
  for (let kill = 0, path = "", rows = 0, nowMs = 0; kill < KILLS; kill++) {
    if (kill % KILLS_OF_FILE === 0) {
      path = join(temporaryFolder(stack), "traffic.db");
      rows = 0;
      nowMs = START_MS;
    }
    const child = await runAndKill(path, nowMs, kill, 1 + pick(MAX_LINES));
    ({ nowMs } = child);
    const found = inspect(path);
    if (found.isInTheMiddle) middles++;
    expect(found.rows).toBeGreaterThanOrEqual(rows + child.written);
    ({ rows } = found);
    // As the kill left it.
    expectExactSums(path);
    expectSound(path);
    if (kill % 3 !== 0) continue;
    await using closing = new AsyncDisposableStack();
    const history = open(closing, join(path, ".."), { ...new TestClock(nowMs).options, windowMs: 0 });
    await settle(history);
    expectExactSums(path);
    expectSound(path);
    expectConversations(path);
    expect(inspect(path)).toEqual({ rows, isInTheMiddle: false });
  }
  // About a quarter of them is in the middle of a bucket; were none, this would show nothing.
  expect(middles).toBeGreaterThan(2);
});
