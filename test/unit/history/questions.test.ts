import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { FilterTest } from "../../../src/filter/types.ts";
import type { Question } from "../../../src/history/question-types.ts";
import { createQuestions, type Questions } from "../../../src/history/questions.ts";
import type { Level } from "../../../src/history/rollup-types.ts";
import { Random } from "../../fuzz/random.ts";
import { append, open, temporaryFolder } from "./fixture.ts";
import {
  EVERYTHING,
  expectPlain,
  expectWhole,
  FILTERS,
  HOUR_MS,
  MINUTE_MS,
  one,
  pick,
  randomQuestion,
} from "./questions-check.ts";
import { DAY_MS, FIRST_MS, makeTraffic, UNTIL_MS, writeFolded } from "./questions-fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(120_000);

const ROWS = 25_000;

describe("questions", () => {
  const stack = new AsyncDisposableStack();
  let folder: string;
  let path: string;
  let whole: Database;
  let questions: Questions;

  beforeAll(async () => {
    folder = temporaryFolder(stack);
    const written = await writeFolded(stack, folder, makeTraffic(ROWS));
    ({ path } = written);
    // Rows for minutes that are folded, and nobody who folds them any more.
    await written.history.folding.stop();
    for (const late of makeTraffic(500, 4)) append(written.history, late);
    await written.history.writer.flush(30_000);
    await written.history.close();
    whole = new Database(path, { readonly: true });
    stack.defer(() => whole.close());
    questions = createQuestions(path);
    stack.defer(() => questions.close());
  });
  afterAll(() => stack.disposeAsync());

  test("the traffic is folded, but for its end, and some of it is late", () => {
    const count = (sql: string) =>
      whole.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${sql}`).get()?.n ?? 0;
    for (const level of [1, 2, 3]) expect(count(`rollups WHERE level = ${level}`)).toBeGreaterThan(1);
    expect(count("late")).toBeGreaterThan(100);
    expect(count("rows")).toBe(ROWS + 500);
  });

  test("any question: what plain SQL over the rows says", async () => {
    const random = new Random(11);
    const levels = new Set<Level>();
    for (let round = 0; round < 200; round++) {
      const [filter, where] = pick(random, FILTERS);
      const question = randomQuestion(random, filter);
      const answer = await questions.ask(question);
      expect([answer.sinceMs, answer.untilMs]).toEqual([question.sinceMs, question.untilMs]);
      expect([answer.isPruned, answer.notes]).toEqual([false, []]);
      expectWhole(answer);
      expectPlain(answer, question, whole, where);
      for (const { level } of answer.parts) levels.add(level);
    }
    expect([...levels].toSorted()).toEqual(["day", "hour", "minute", "raw"]);
  });

  test.each<[FilterTest, string]>([
    [{ kind: "port", end: "any", low: 40_000, high: 40_050 }, "client_port <= 40050"],
    [
      { kind: "port", end: "src", low: 443, high: 443 },
      "kind = 1 AND packets_received > 0 AND server_port = 443",
    ],
    [
      { kind: "number", field: "bytes", comparison: ">", value: 90_000 },
      "bytes_sent + bytes_received > 90000",
    ],
    [{ kind: "number", field: "rtt", comparison: "<", value: 1_000_000 }, "rtt < 1000000"],
  ])("%j is asked of the rows", async (filterTest, where) => {
    for (const stepMs of [undefined, DAY_MS]) {
      const question: Question = {
        ...EVERYTHING,
        filter: one(filterTest),
        groupBy: ["client", "source"],
        ...(stepMs === undefined ? {} : { stepMs }),
      };
      const answer = await questions.ask(question);
      expect(answer.level).toBe("raw");
      expect(answer.notes).toEqual([]);
      expect(answer.total.sums.rows).toBeGreaterThan(0);
      expectPlain(answer, question, whole, where);
    }
  });

  test("sums of one range are equal whichever level they come from", async () => {
    const ask = async (stepMs: number) => {
      const { level, total, groups } = await questions.ask({
        ...EVERYTHING,
        sinceMs: FIRST_MS + DAY_MS,
        untilMs: FIRST_MS + 2 * DAY_MS,
        stepMs,
        limit: 5,
      });
      return { level, sums: total.sums, groups: groups.map(({ key, sums }) => ({ key, sums })) };
    };
    const [seconds, minutes, hours, days] = [
      await ask(90_000),
      await ask(2 * MINUTE_MS),
      await ask(2 * HOUR_MS),
      await ask(DAY_MS),
    ];
    expect([seconds.level, minutes.level, hours.level, days.level]).toEqual(["raw", "minute", "hour", "day"]);
    for (const other of [minutes, hours, days]) {
      expect(other.sums).toEqual(seconds.sums);
      expect(other.groups).toEqual(seconds.groups);
    }
  });

  test("an empty time has nothing", async () => {
    const answer = await questions.ask({ ...EVERYTHING, sinceMs: UNTIL_MS, untilMs: UNTIL_MS });
    expect(answer).toMatchObject({ groups: [], groupCount: 0, parts: [], level: "raw", scanned: 0 });
    expect(answer.total.sums).toMatchObject({ rows: 0, rttMeanNs: null });
  });

  describe("after the oldest of each level was deleted", () => {
    let old: Questions;

    beforeAll(async () => {
      const later = temporaryFolder(stack);
      copyFileSync(path, join(later, "traffic.db"));
      const history = open(stack, later, {
        now: () => UNTIL_MS - 120_000,
        levelSeconds: { raw: 3 * 3600, minute: 20 * 3600, hour: 40 * 3600, day: 0 },
      });
      history.folding.start();
      await history.folding.settled();
      history.retention.start();
      await history.retention.settled();
      await history.close();
      using left = new Database(join(later, "traffic.db"), { readonly: true });
      const floors = left.query<{ floor: number | null }, []>("SELECT floor FROM levels ORDER BY id").all();
      expect(floors.slice(0, 3).every(({ floor }) => floor !== null)).toBe(true);
      old = createQuestions(join(later, "traffic.db"));
      stack.defer(() => old.close());
    });

    test("any question: what plain SQL over all rows said, of the time that is answered for", async () => {
      const random = new Random(12);
      let widened = 0;
      for (let round = 0; round < 200; round++) {
        const [filter, where] = pick(random, FILTERS);
        const question = randomQuestion(random, filter);
        const answer = await old.ask(question);
        expect(answer.sinceMs).toBeLessThanOrEqual(question.sinceMs);
        expect(answer.untilMs).toBeGreaterThanOrEqual(question.untilMs);
        const isWider = answer.sinceMs < question.sinceMs || answer.untilMs > question.untilMs;
        if (isWider) widened++;
        if (isWider) expect(answer.notes.join()).toContain("are kept: summed");
        const isLess = answer.notes.some((note) => note.startsWith("left out"));
        expect(isLess).toBe(
          answer.parts.reduce((ms, part) => ms + part.untilMs - part.sinceMs, 0) <
            answer.untilMs - answer.sinceMs,
        );
        expectPlain(answer, question, whole, where);
      }
      expect(widened).toBeGreaterThan(20);
    });

    test("client ports are the server's where rows are gone, and the answer says so", async () => {
      const filter = one({ kind: "port", end: "any", low: 443, high: 443 });
      const question = { ...EVERYTHING, filter };
      const answer = await old.ask(question);
      expect(answer.notes).toHaveLength(1);
      expect(answer.notes[0]).toMatch(
        /^client ports, and who sent a packet, are known from 2026-03-03T2\S+ on: before/,
      );
      expectPlain(answer, question, whole, "server_port = 443");
      const none = await old.ask({
        ...question,
        filter: one({ kind: "port", end: "client", low: 1, high: 65_535 }),
      });
      expect(none.total.sums.rows).toBeLessThan(ROWS / 2);
    });

    test("tests of single rows leave out the time that rows are gone of", async () => {
      const filter = one({ kind: "number", field: "bytes", comparison: ">=", value: 0 });
      const question = { ...EVERYTHING, filter };
      const answer = await old.ask(question);
      expect(answer.parts.map(({ level }) => level)).toEqual(["raw"]);
      expect(answer.notes.join()).toMatch(/^left out: 2026-03-01T00:00:00.000Z to \S+: bytes, packets/);
      expectPlain(answer, question, whole, "true");
    });
  });
});
