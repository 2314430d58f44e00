import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Database } from "bun:sqlite";
import { HistoryLimitError } from "../../../src/history/question-errors.ts";
import type { Question } from "../../../src/history/question-types.ts";
import { createQuestions, type Questions } from "../../../src/history/questions.ts";
import { append, connection, open, row, temporaryFolder } from "./fixture.ts";
import { EVERYTHING, expectPlain, HOUR_MS, MINUTE_MS, one } from "./questions-check.ts";
import { FIRST_MS, makeTraffic, UNTIL_MS, writeFolded } from "./questions-fixture.ts";

// Bounds a hang only: other work on the machine may make any of these slow.
setDefaultTimeout(120_000);

describe("what questions may take", () => {
  const stack = new AsyncDisposableStack();
  let path: string;
  let questions: Questions;

  beforeAll(async () => {
    const written = await writeFolded(stack, temporaryFolder(stack), makeTraffic(10_000));
    ({ path } = written);
    questions = createQuestions(path);
    stack.defer(() => questions.close());
  });
  afterAll(() => stack.disposeAsync());

  test("several at once wait for one another", async () => {
    const answers = await Promise.all(
      Array.from({ length: 7 }, (_, index) => questions.ask({ ...EVERYTHING, limit: 1 + index })),
    );
    expect(answers.map(({ groups }) => groups.length)).toEqual([1, 2, 3, 4, 5, 5, 5]);
    expect(new Set(answers.map(({ total }) => JSON.stringify(total))).size).toBe(1);
  });

  test("the event loop runs meanwhile, and a question nobody waits for ends", async () => {
    let ticks = 0;
    const slow = createQuestions(path, () => (ticks += 10));
    const abort = new AbortController();
    let turns = 0;
    const turn = () => {
      turns++;
      if (turns === 3) abort.abort(new Error("nobody waits"));
      else setImmediate(turn);
    };
    setImmediate(turn);
    const filter = one({ kind: "number", field: "bytes", comparison: ">", value: 0 });
    expect(slow.ask({ ...EVERYTHING, filter, signal: abort.signal })).rejects.toThrow("nobody waits");
    await slow.ask(EVERYTHING);
    expect(turns).toBe(3);
    slow.close();
  });

  test("whoever waits in line can go", async () => {
    const abort = new AbortController();
    const asked = Array.from({ length: 4 }, (_, index) =>
      questions.ask(index === 3 ? { ...EVERYTHING, signal: abort.signal } : EVERYTHING).then(
        () => "answered",
        (error: unknown) => String(error),
      ),
    );
    await Promise.resolve();
    abort.abort(new Error("gone"));
    expect(await Promise.all(asked)).toEqual(["answered", "answered", "answered", "Error: gone"]);
    expect(questions.ask({ ...EVERYTHING, signal: abort.signal })).rejects.toThrow("gone");
  });

  test("a question that takes too long ends with what was read and what to do", async () => {
    let ticks = 0;
    const hurried = createQuestions(path, () => (ticks += 1000));
    const filter = one({ kind: "number", field: "bytes", comparison: ">", value: 0 });
    expect(hurried.ask({ ...EVERYTHING, filter })).rejects.toBeInstanceOf(HistoryLimitError);
    expect(hurried.ask({ ...EVERYTHING, filter })).rejects.toThrow(
      /^the question took over 10 s: \d+ rows and sums were read; ask for a shorter time/,
    );
    await hurried.ask({ ...EVERYTHING, sinceMs: UNTIL_MS - 1 });
    hurried.close();
  });

  test("closing ends what is under way and what waits", async () => {
    let ticks = 0;
    const slow = createQuestions(path, () => (ticks += 10));
    const asked = [1, 2, 3].map(() =>
      slow.ask({ ...EVERYTHING, stepMs: MINUTE_MS * 10 }).catch((error: unknown) => String(error)),
    );
    await new Promise((resolve) => setImmediate(resolve));
    slow.close();
    expect(await Promise.all(asked)).toEqual(Array(3).fill("AyaflowError: history was closed"));
    expect(slow.ask(EVERYTHING)).rejects.toThrow("history was closed");
  });

  test.each<[Partial<Question>, string]>([
    [{ sinceMs: UNTIL_MS + 1 }, "since: is later than until"],
    [{ sinceMs: -Infinity }, "since, until: times must be finite"],
    [{ stepMs: 0.5 }, "step: 0.5 ms is not a whole number of milliseconds from 1"],
    [
      { stepMs: 1000 },
      "step: that many points are too many (at most 2000); take a step of 130 s or more, or a shorter time",
    ],
    [{ stepMs: 600_000, limit: 1000 }, "limit: 1000 groups of 433 points are too many"],
    [{ limit: 0 }, "limit: must be 1 or more"],
    [{ filter: one({ kind: "state", state: "closed" }) }, "state is known of live connections only"],
  ])("%j is refused", async (changes, message) => {
    expect(questions.ask({ ...EVERYTHING, ...changes })).rejects.toThrow(message);
  });
});

test("answers are of one moment while rows are written and folded", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder(stack);
  // For few minutes, most of which are folded when they come.
  const rows = makeTraffic(24_000).filter(({ timestampMs }) => timestampMs >= UNTIL_MS - HOUR_MS);
  expect(rows.length).toBeGreaterThan(7000);
  const { history, path } = await writeFolded(stack, folder, rows.slice(0, 2000));
  const questions = createQuestions(path);
  stack.defer(() => questions.close());
  let added = 2000;
  let least = 2000;
  while (added < rows.length) {
    for (const each of rows.slice(added, added + 500)) append(history, each);
    added += 500;
    history.folding.start();
    const answer = await questions.ask({ ...EVERYTHING, groupBy: ["server_port"], stepMs: HOUR_MS });
    const { sums, points = [] } = answer.total;
    expect(sums.rows).toBeGreaterThanOrEqual(least);
    expect(sums.rows).toBeLessThanOrEqual(added);
    expect(points.reduce((total, point) => total + point.rows, 0)).toBe(sums.rows);
    least = sums.rows;
  }
  await history.writer.flush(30_000);
  await history.folding.settled();
  using db = new Database(path, { readonly: true });
  const answer = await history.reader.ask(EVERYTHING);
  expect(answer.total.sums.rows).toBe(rows.length);
  expectPlain(answer, EVERYTHING, db, "true");
});

test("with more groups than are kept, the large ones stay and nothing is lost", async () => {
  await using stack = new AsyncDisposableStack();
  const history = open(stack, temporaryFolder(stack), { now: () => FIRST_MS });
  for (let index = 0; index < 60_000; index++) {
    append(
      history,
      row(connection(index), { timestampMs: FIRST_MS + index, bytesSent: 1, bytesReceived: 0 }),
    );
    if (index % 10_000 !== 0) continue;
    append(
      history,
      row(connection(1_000_000), { timestampMs: FIRST_MS + index, bytesSent: 500, bytesReceived: 0 }),
    );
    await history.writer.flush(30_000);
  }
  await history.writer.flush(30_000);
  for (const stepMs of [undefined, HOUR_MS]) {
    const answer = await history.reader.ask({
      ...EVERYTHING,
      groupBy: ["client", "server"],
      limit: 3,
      ...(stepMs === undefined ? {} : { stepMs }),
    });
    expect(answer.isPruned).toBe(true);
    expect(answer.groupCount).toBeGreaterThanOrEqual(50_000);
    expect(answer.groupCount).toBeLessThanOrEqual(60_001);
    expect(answer.groups[0]?.key[0]).toBe("10.15.66.64");
    expect(answer.groups[0]?.sums).toMatchObject({ rows: 6, bytesSent: 3000 });
    expect(answer.total.sums).toMatchObject({ rows: 60_006, bytesSent: 63_000 });
    expect(answer.groups.reduce((rows, { sums }) => rows + sums.rows, answer.other.sums.rows)).toBe(60_006);
  }
});
