import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import { connection, named, open, row, START_MS, temporaryFolder } from "./fixture.ts";
import { expectConversations, extent, settle, TestClock, write } from "./fold-fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(60_000);

const DAY = 86_400_000;
/** Seconds of two hours, a day, a week, a month. */
const LEVEL_SECONDS = { raw: 7200, minute: 86_400, hour: 604_800, day: 2_592_000 };

test("a conversation is there as long as any level names it", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const history = open(stack, folder, { ...clock.options, levelSeconds: LEVEL_SECONDS });
  using db = new Database(path, { readonly: true });
  const domains = db.query<{ n: number }, []>("SELECT count(*) AS n FROM domains");
  const fill = (prefix: string, names: number) =>
    write(
      history,
      Array.from({ length: 12_000 }, (_, index) =>
        row(connection(index % 1000, { naming: named(`${prefix}${index % names}.example`) }), {
          timestampMs: clock.nowMs,
        }),
      ),
    );
  await fill("old", 1000);
  for (let days = 0; days < 40; days++) {
    clock.pass(DAY);
    await fill("new", 10);
    await settle(history);
    if (days % 6 === 0) expectConversations(path);
    // A day is kept until it is over by thirty.
    if (days < 29) expect(domains.get()?.n).toBe(1010);
  }
  expectConversations(path);
  expect(domains.get()?.n).toBe(10);
});

test("levels may be kept in any order: what a finer one names stays after the coarser ones have gone", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  const path = join(folder, "traffic.db");
  const clock = new TestClock(START_MS);
  const levelSeconds = { raw: 7200, minute: 0, hour: 86_400, day: 172_800 };
  const history = open(stack, folder, { ...clock.options, levelSeconds });
  for (let days = 0; days < 12; days++) {
    await write(
      history,
      Array.from({ length: 9000 }, (_, index) =>
        row(connection(days * 500 + (index % 600)), { timestampMs: clock.nowMs }),
      ),
    );
    clock.pass(DAY);
    await settle(history);
    expectConversations(path);
  }
  expect(extent(path, "minute").firstMs).toBe(START_MS);
  expect(extent(path, "day").firstMs).toBeGreaterThan(START_MS + 8 * DAY);
  using db = new Database(path, { readonly: true });
  expect(db.query("SELECT count(*) AS n FROM conversations").get()).toEqual({ n: 6100 });
});
