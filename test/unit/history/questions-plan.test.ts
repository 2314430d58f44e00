import { describe, expect, test } from "bun:test";
import { type LevelChoice, type PlanRequest, planQuestion } from "../../../src/history/question-plan.ts";
import { BUCKET_MS, type Level, type LevelCoverage } from "../../../src/history/rollup-types.ts";
import { Random } from "../../fuzz/random.ts";

const DAY = BUCKET_MS.day;
const HOUR = BUCKET_MS.hour;
const MINUTE = BUCKET_MS.minute;
const START = Date.UTC(2026, 2, 1);

/** `hh:mm:ss`, of START's day or so many days after it, in milliseconds since the epoch. */
function at(text: string, day = 0): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(":").map(Number);
  return START + day * DAY + hours * HOUR + minutes * MINUTE + seconds * 1000;
}

function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(8, 19).replace("T", " ");
}

interface Covered {
  since?: number | null;
  until?: number | null;
}

function coverage(of: Partial<Record<Level, Covered>> = {}): LevelCoverage[] {
  const covered = (level: Level, until: number): LevelCoverage => {
    const given = of[level];
    return {
      level,
      sinceMs: given?.since ?? null,
      untilMs: given?.until === undefined ? until : given.until,
    };
  };
  return [
    covered("raw", Infinity),
    covered("minute", at("12:30", 2)),
    covered("hour", at("12:00", 2)),
    covered("day", at("00:00", 2)),
  ];
}

function shown(request: Omit<PlanRequest, "choice"> & { choice?: LevelChoice }): string[] {
  const plan = planQuestion({ choice: "coarsest", ...request });
  const spans = [
    ...plan.parts.map((part) => ({ ...part, name: part.level as string })),
    ...plan.gaps.map((gap) => ({ ...gap, name: "nothing" })),
  ];
  return spans
    .toSorted((a, b) => a.sinceMs - b.sinceMs)
    .map(({ name, sinceMs, untilMs }) => `${name} ${clockOf(sinceMs)} ${clockOf(untilMs)}`);
}

describe("which level is read for which time", () => {
  test.each<[string, Omit<PlanRequest, "choice"> & { choice?: LevelChoice }, string[]]>([
    [
      "coarsest buckets inside, finer ones and rows at the edges",
      { sinceMs: at("22:58:50"), untilMs: at("01:01:10", 2), coverage: coverage() },
      [
        "raw 01 22:58:50 01 22:59:00",
        "minute 01 22:59:00 01 23:00:00",
        "hour 01 23:00:00 02 00:00:00",
        "day 02 00:00:00 03 00:00:00",
        "hour 03 00:00:00 03 01:00:00",
        "minute 03 01:00:00 03 01:01:00",
        "raw 03 01:01:00 03 01:01:10",
      ],
    ],
    [
      "what is not folded yet from finer levels",
      { sinceMs: at("10:00", 2), untilMs: at("13:00", 2), coverage: coverage() },
      ["hour 03 10:00:00 03 12:00:00", "minute 03 12:00:00 03 12:30:00", "raw 03 12:30:00 03 13:00:00"],
    ],
    [
      "a step of two minutes does not read hours",
      { sinceMs: at("10:00", 2), untilMs: at("12:02", 2), stepMs: 2 * MINUTE, coverage: coverage() },
      ["minute 03 10:00:00 03 12:02:00"],
    ],
    [
      "a step of 90 s reads rows only",
      { sinceMs: at("10:00", 2), untilMs: at("12:02", 2), stepMs: 90_000, coverage: coverage() },
      ["raw 03 10:00:00 03 12:02:00"],
    ],
    ["nothing of an empty range", { sinceMs: at("10:00"), untilMs: at("10:00"), coverage: coverage() }, []],
    [
      "an edge that finer levels do not have any more moves outwards",
      {
        sinceMs: at("10:17:30"),
        untilMs: at("13:20"),
        coverage: coverage({ raw: { since: at("12:00", 2) }, minute: { since: at("13:00") } }),
      },
      ["hour 01 10:00:00 01 13:00:00", "minute 01 13:00:00 01 13:20:00"],
    ],
    [
      "both ends in one bucket",
      {
        sinceMs: at("10:17"),
        untilMs: at("10:20"),
        coverage: coverage({ raw: { since: at("12:00", 2) }, minute: { since: at("00:00", 1) } }),
      },
      ["hour 01 10:00:00 01 11:00:00"],
    ],
    [
      "a day in place of the hours that are left of it",
      {
        sinceMs: at("10:17"),
        untilMs: at("15:30", 1),
        coverage: coverage({
          raw: { since: at("12:00", 2) },
          minute: { since: at("00:00", 1) },
          hour: { since: at("11:00") },
        }),
      },
      ["day 01 00:00:00 02 00:00:00", "hour 02 00:00:00 02 15:00:00", "minute 02 15:00:00 02 15:30:00"],
    ],
    [
      "rows that are partly deleted within a minute",
      {
        sinceMs: at("11:59:50", 2),
        untilMs: at("12:00:40", 2),
        coverage: coverage({ raw: { since: at("12:00:05", 2) } }),
      },
      ["minute 03 11:59:00 03 12:01:00"],
    ],
    [
      "time that nothing is left of",
      {
        sinceMs: at("10:17"),
        untilMs: at("00:30", 1),
        coverage: coverage({
          raw: { since: at("12:00", 2) },
          minute: { since: at("00:00", 1) },
          hour: { since: at("00:00", 1) },
          day: { since: at("00:00", 1) },
        }),
      },
      ["nothing 01 10:17:00 02 00:00:00", "minute 02 00:00:00 02 00:30:00"],
    ],
    [
      "a step that only rows have",
      {
        sinceMs: at("11:00", 2),
        untilMs: at("12:10", 2),
        stepMs: 10_000,
        coverage: coverage({ raw: { since: at("12:00:05", 2) } }),
      },
      ["nothing 03 11:00:00 03 12:00:05", "raw 03 12:00:05 03 12:10:00"],
    ],
    [
      "rows first, whole minutes before",
      {
        sinceMs: at("11:00", 2),
        untilMs: at("12:10", 2),
        choice: "raw_first",
        coverage: coverage({ raw: { since: at("12:00:05", 2) } }),
      },
      ["hour 03 11:00:00 03 12:00:00", "minute 03 12:00:00 03 12:01:00", "raw 03 12:01:00 03 12:10:00"],
    ],
    [
      "rows only",
      {
        sinceMs: at("11:00", 2),
        untilMs: at("12:10", 2),
        choice: "raw_only",
        coverage: coverage({ raw: { since: at("12:00:05", 2) } }),
      },
      ["nothing 03 11:00:00 03 12:00:05", "raw 03 12:00:05 03 12:10:00"],
    ],
    [
      "a database without a rollup",
      {
        sinceMs: at("11:00"),
        untilMs: at("12:10", 2),
        coverage: coverage({ minute: { until: null }, hour: { until: null }, day: { until: null } }),
      },
      ["raw 01 11:00:00 03 12:10:00"],
    ],
  ])("%s", (_, request, expected) => {
    expect(shown(request)).toEqual(expected);
  });

  test("any range: every moment once, by whole buckets of what is covered, as coarse as can be", () => {
    const random = new Random(5);
    const pick = (below: number) => random.below(below);
    const moment = (until: number) => START + pick(until / 1000) * 1000;
    for (let round = 0; round < 2000; round++) {
      const [a = 0, b = 0] = [moment(3 * DAY), moment(3 * DAY)].toSorted((x, y) => x - y);
      const sinceMs = pick(3) === 0 ? Math.max(START, b - pick(7200) * 1000) : a;
      // Floors rise and watermarks fall from coarse to fine and back, as folding and retention keep them.
      const floors = [0, 1, 2, 3].map(() => (pick(3) === 0 ? null : moment(3 * DAY)));
      const rising = floors.some((floor) => floor === null)
        ? [null, null, floors[0] ?? null, floors[1] ?? null]
        : floors.toSorted((x, y) => (x ?? 0) - (y ?? 0));
      const whole = (ms: number, unit: number) => Math.floor(ms / unit) * unit;
      const watermark = moment(3 * DAY);
      const levels: LevelCoverage[] = [
        { level: "raw", sinceMs: rising[3] ?? null, untilMs: Infinity },
        { level: "minute", sinceMs: rising[2] ?? null, untilMs: whole(watermark, MINUTE) },
        { level: "hour", sinceMs: rising[1] ?? null, untilMs: whole(watermark, HOUR) },
        { level: "day", sinceMs: rising[0] ?? null, untilMs: whole(watermark, DAY) },
      ];
      const stepMs = [undefined, 10_000, 2 * MINUTE, HOUR, DAY][pick(5)];
      const plan = planQuestion({
        sinceMs,
        untilMs: b,
        choice: "coarsest",
        coverage: levels,
        ...(stepMs === undefined ? {} : { stepMs }),
      });
      const usable = levels.map((level) => {
        const unit = level.level === "raw" ? 1 : BUCKET_MS[level.level];
        const isUsable = stepMs === undefined || stepMs % unit === 0;
        const from = level.sinceMs === null ? -Infinity : Math.ceil(level.sinceMs / unit) * unit;
        return { level: level.level, unit, from, to: isUsable ? (level.untilMs ?? -Infinity) : -Infinity };
      });
      const bucketAt = (level: Level, ms: number): [number, number] | null => {
        const of = usable.find((each) => each.level === level);
        const start = whole(ms, of?.unit ?? 1);
        return of !== undefined && start >= of.from && start + of.unit <= of.to
          ? [start, start + of.unit]
          : null;
      };
      let reached = plan.sinceMs;
      const spans = [...plan.parts, ...plan.gaps.map((gap) => ({ ...gap, level: null }))].toSorted(
        (x, y) => x.sinceMs - y.sinceMs,
      );
      for (const { level, sinceMs: from, untilMs: to } of spans) {
        expect(from).toBe(reached);
        expect(to).toBeGreaterThan(from);
        reached = to;
        for (const ms of [from, to - 1]) {
          const inside = (["raw", "minute", "hour", "day"] as const).filter(
            (each) => bucketAt(each, ms) !== null,
          );
          if (level === null) {
            expect(inside).toEqual([]);
            continue;
          }
          const bucket = bucketAt(level, ms);
          expect(bucket).not.toBeNull();
          expect(bucket?.[0]).toBeGreaterThanOrEqual(from);
          expect(bucket?.[1]).toBeLessThanOrEqual(to);
          // No coarser bucket would fit into what was asked.
          const coarser = inside.slice(inside.indexOf(level) + 1).flatMap((each) => [bucketAt(each, ms)]);
          for (const fitting of coarser) {
            expect((fitting?.[0] ?? 0) < sinceMs || (fitting?.[1] ?? 0) > b).toBe(true);
          }
        }
      }
      expect(reached).toBe(plan.untilMs);
      if (sinceMs < b) {
        expect(plan.sinceMs).toBeLessThanOrEqual(sinceMs);
        expect(plan.untilMs).toBeGreaterThanOrEqual(b);
      }
      // Only as far as the bucket that the end lies in.
      if (plan.sinceMs < sinceMs)
        expect(bucketAt(plan.parts[0]?.level ?? "raw", sinceMs)?.[0]).toBe(plan.sinceMs);
      if (plan.untilMs > b)
        expect(bucketAt(plan.parts.at(-1)?.level ?? "raw", b - 1)?.[1]).toBe(plan.untilMs);
    }
  });
});
