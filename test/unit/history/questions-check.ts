/** Questions about the traffic of questions-fixture.ts, and what holds answers against plain SQL. */
import { expect } from "bun:test";
import type { Database } from "bun:sqlite";
import type { FilterExpression, FilterTest } from "../../../src/filter/types.ts";
import {
  type Answer,
  GROUP_KEYS,
  type GroupKey,
  type Question,
  QUESTION_ORDERS,
  type Sums,
} from "../../../src/history/question-types.ts";
import type { Random } from "../../fuzz/random.ts";
import { addUp, DAY_MS, FIRST_MS, plainGroups, UNTIL_MS, withMean } from "./questions-fixture.ts";

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** All of the traffic of the fixture by domain. */
export const EVERYTHING: Question = {
  sinceMs: FIRST_MS,
  untilMs: UNTIL_MS,
  filter: null,
  groupBy: ["domain"],
  order: "bytes",
  limit: 20,
};

/** A filter of one test. */
export function one(test: FilterTest): FilterExpression {
  return { kind: "test", test, at: 0, length: 0 };
}

const NETWORK = { first: Uint8Array.of(10, 0, 1, 0), last: Uint8Array.of(10, 0, 1, 255) };
const UDP = one({ kind: "protocol", protocol: 17 });
const EGRESS = one({ kind: "direction", direction: "egress" });
const CLIENTS = one({ kind: "address", end: "client", ...NETWORK });
const BELOW = one({ kind: "domain", pattern: "*.example.co.uk" });

/** Filters that rollups answer, and what they are in SQL. */
export const FILTERS: readonly (readonly [FilterExpression | null, string])[] = [
  [null, "true"],
  [UDP, "protocol = 17"],
  [EGRESS, "direction = 1"],
  [CLIENTS, "hex(client) LIKE '0A0001%'"],
  [BELOW, "(d.name LIKE '%.example.co.uk')"],
  [
    { kind: "and", terms: [BELOW, { kind: "not", term: EGRESS }] },
    "d.name LIKE '%.example.co.uk' AND direction = 0",
  ],
  [
    {
      kind: "or",
      terms: [
        { kind: "and", terms: [UDP, EGRESS] },
        { kind: "not", term: CLIENTS },
      ],
    },
    "((protocol = 17 AND direction = 1) OR hex(client) NOT LIKE '0A0001%')",
  ],
  [one({ kind: "source", source: null }), "coalesce(t.source, '') = ''"],
  [one({ kind: "port", end: "server", low: 50, high: 60 }), "server_port BETWEEN 50 AND 60"],
  [one({ kind: "domain", pattern: "nothing.example" }), "false"],
];

const SIZES: Readonly<Record<Question["order"], (sums: Sums) => number>> = {
  bytes: (sums) => sums.bytesSent + sums.bytesReceived,
  packets: (sums) => sums.packetsSent + sums.packetsReceived,
  bytes_sent: (sums) => sums.bytesSent,
  bytes_received: (sums) => sums.bytesReceived,
  packets_sent: (sums) => sums.packetsSent,
  packets_received: (sums) => sums.packetsReceived,
  retransmits: (sums) => sums.retransmits,
  rows: (sums) => sums.rows,
};

/** Holds an answer against plain SQL over all rows that ever were, in the time that was answered for. */
export function expectPlain(answer: Answer, question: Question, whole: Database, where: string): void {
  const plain = plainGroups(whole, answer.parts, where, question.groupBy, question.stepMs);
  const size = SIZES[question.order];
  const sumsOf = (points: readonly (typeof plain extends Map<string, infer G> ? G : never)[]) =>
    withMean(addUp(points.map(({ sums }) => sums)));
  expect(answer.total.sums).toEqual(sumsOf([...plain.values()]));
  expect(answer.groupCount).toBe(plain.size);
  expect(answer.groups).toHaveLength(Math.min(plain.size, question.limit));
  const answered = new Set(answer.groups.map(({ key }) => JSON.stringify(key)));
  expect(answered.size).toBe(answer.groups.length);
  for (const { key, sums } of answer.groups) {
    const expected = plain.get(JSON.stringify(key));
    expect([key, sums]).toEqual([key, withMean(expected?.sums ?? addUp([]))]);
  }
  const rest = [...plain].filter(([key]) => !answered.has(key)).map(([, group]) => group);
  expect(answer.other.sums).toEqual(sumsOf(rest));
  const sizes = answer.groups.map(({ sums }) => size(sums));
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  for (const { sums } of rest) expect(size(withMean(sums))).toBeLessThanOrEqual(sizes.at(-1) ?? 0);
  const { stepMs } = question;
  const starts = answer.pointsMs ?? [];
  if (stepMs === undefined || answer.sinceMs === answer.untilMs) return;
  expect(starts[0] ?? 0).toBeLessThanOrEqual(answer.sinceMs);
  expect((starts[0] ?? 0) + stepMs).toBeGreaterThan(answer.sinceMs);
  expect((starts.at(-1) ?? 0) + stepMs).toBeGreaterThanOrEqual(answer.untilMs);
  expect(
    starts.every((start, index) => start % stepMs === 0 && start === (starts[0] ?? 0) + index * stepMs),
  ).toBe(true);
  const at = (groups: typeof rest) =>
    starts.map((start) => withMean(addUp(groups.flatMap(({ points }) => points.get(start) ?? []))));
  for (const { key, points } of answer.groups) {
    const group = plain.get(JSON.stringify(key));
    expect(points ?? []).toEqual(at(group === undefined ? [] : [group]));
  }
  expect(answer.other.points ?? []).toEqual(at(rest));
  expect(answer.total.points ?? []).toEqual(at([...plain.values()]));
}

/** Its parts are all of the time that it is about. */
export function expectWhole(answer: Answer): void {
  let reached = answer.sinceMs;
  for (const part of answer.parts) {
    expect(part.sinceMs).toBe(reached);
    reached = part.untilMs;
  }
  expect(reached).toBe(answer.untilMs);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[random.below(from.length)];
  if (picked === undefined) throw new Error("nothing to pick from");
  return picked;
}

/** A question about the traffic of the fixture. */
export function randomQuestion(random: Random, filter: FilterExpression | null): Question {
  const units = [1, 1000, MINUTE_MS, HOUR_MS, DAY_MS];
  const unit = pick(random, units);
  const moment = () => FIRST_MS + Math.floor(random.below(UNTIL_MS - FIRST_MS) / unit) * unit;
  const [sinceMs = 0, untilMs = 0] = [moment(), random.oneIn(3) ? UNTIL_MS : moment()].toSorted(
    (a, b) => a - b,
  );
  const keys = new Set(Array.from({ length: random.below(4) }, () => pick(random, GROUP_KEYS)));
  const groupBy: GroupKey[] = [...keys];
  const fitting = [10_000, MINUTE_MS, 5 * MINUTE_MS, HOUR_MS, DAY_MS, 90_000].filter(
    (step) => (untilMs - sinceMs) / step < 200,
  );
  const stepMs = random.oneIn(2) ? undefined : fitting[random.below(fitting.length)];
  return {
    sinceMs,
    untilMs,
    filter,
    groupBy,
    order: pick(random, QUESTION_ORDERS),
    limit: random.oneIn(3) ? 300 : 1 + random.below(10),
    ...(stepMs === undefined ? {} : { stepMs }),
  };
}
