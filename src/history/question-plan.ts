import type { AnsweredPart } from "./question-types.ts";
import { BUCKET_MS, type Level, type LevelCoverage } from "./rollup-types.ts";

/** From `sinceMs` on, before `untilMs`; milliseconds since the epoch. */
export interface TimeSpan {
  sinceMs: number;
  untilMs: number;
}

/** Coarsest first is cheapest. `raw_first`: rows where there are any, rollups for what is older. */
export type LevelChoice = "coarsest" | "raw_first" | "raw_only";

export interface PlanRequest extends TimeSpan {
  /** Width of a point: only buckets that divide it are read. */
  stepMs?: number;
  choice: LevelChoice;
  coverage: readonly LevelCoverage[];
}

/** Which level is read for which time. */
export interface Plan extends TimeSpan {
  /** Oldest first, without overlap. */
  parts: AnsweredPart[];
  /** What no level that may be read has; oldest first. */
  gaps: TimeSpan[];
}

/** A level as far as it may be read: whole buckets from `fromMs` on, before `toMs`. */
interface Source {
  level: Level;
  bucketMs: number;
  fromMs: number;
  toMs: number;
}

/** A stretch of time and what is read for it; null: nothing yet. */
interface Span extends TimeSpan {
  level: Level | null;
}

const ORDER: Readonly<Record<LevelChoice, readonly Level[]>> = {
  coarsest: ["day", "hour", "minute", "raw"],
  raw_first: ["raw", "day", "hour", "minute"],
  raw_only: ["raw"],
};

/** Length of the shortest stretch of time that a level can tell from the next, in milliseconds. */
export function bucketMsOf(level: Level): number {
  return level === "raw" ? 1 : BUCKET_MS[level];
}

function floorTo(ms: number, unit: number): number {
  return Math.floor(ms / unit) * unit;
}

function ceilTo(ms: number, unit: number): number {
  return Math.ceil(ms / unit) * unit;
}

function sourcesOf({ choice, coverage, stepMs }: PlanRequest): Source[] {
  return ORDER[choice].flatMap((level) => {
    const covered = coverage.find((each) => each.level === level);
    const bucketMs = bucketMsOf(level);
    if (covered === undefined || covered.untilMs === null) return [];
    if (stepMs !== undefined && stepMs % bucketMs !== 0) return [];
    return {
      level,
      bucketMs,
      fromMs: ceilTo(covered.sinceMs ?? -Infinity, bucketMs),
      toMs: floorTo(covered.untilMs, bucketMs),
    };
  });
}

/** The whole buckets of the first source, what is before and behind them from the others. */
function cover({ sinceMs, untilMs }: TimeSpan, sources: readonly Source[]): Span[] {
  if (sinceMs >= untilMs) return [];
  const [source, ...others] = sources;
  if (source === undefined) return [{ level: null, sinceMs, untilMs }];
  const fromMs = ceilTo(Math.max(sinceMs, source.fromMs), source.bucketMs);
  const toMs = floorTo(Math.min(untilMs, source.toMs), source.bucketMs);
  if (fromMs >= toMs) return cover({ sinceMs, untilMs }, others);
  return [
    ...cover({ sinceMs, untilMs: fromMs }, others),
    { level: source.level, sinceMs: fromMs, untilMs: toMs },
    ...cover({ sinceMs: toMs, untilMs }, others),
  ];
}

/** The shortest bucket that has the first moment of `gap` that any has; null when none has. */
function bucketInto(gap: TimeSpan, sources: readonly Source[]): Span | null {
  const begins = sources.map(({ fromMs }) => fromMs).filter((ms) => ms > gap.sinceMs && ms < gap.untilMs);
  for (const ms of [gap.sinceMs, ...begins.toSorted((a, b) => a - b)]) {
    const buckets = sources
      .map(({ level, bucketMs, fromMs, toMs }) => ({
        level,
        bucketMs,
        fromMs,
        toMs,
        sinceMs: floorTo(ms, bucketMs),
      }))
      .filter(({ bucketMs, fromMs, toMs, sinceMs }) => sinceMs >= fromMs && sinceMs + bucketMs <= toMs)
      .toSorted((a, b) => a.bucketMs - b.bucketMs);
    const [bucket] = buckets;
    if (bucket !== undefined) {
      const { level, bucketMs, sinceMs } = bucket;
      return { level, sinceMs, untilMs: sinceMs + bucketMs };
    }
  }
  return null;
}

function without(span: Span, taken: TimeSpan): Span[] {
  const before = { ...span, untilMs: Math.min(span.untilMs, taken.sinceMs) };
  const behind = { ...span, sinceMs: Math.max(span.sinceMs, taken.untilMs) };
  return [before, behind].filter(({ sinceMs, untilMs }) => sinceMs < untilMs);
}

/** Fills what is left open with buckets that reach beyond it, in place of whatever else was to be read there. */
function fillGaps(spans: readonly Span[], sources: readonly Source[]): Span[] {
  let filled = [...spans];
  for (;;) {
    const open = filled.filter(({ level }) => level === null);
    const bucket = open.map((gap) => bucketInto(gap, sources)).find((found) => found !== null);
    if (bucket === undefined) return filled;
    filled = [...filled.flatMap((span) => without(span, bucket)), bucket].toSorted(
      (a, b) => a.sinceMs - b.sinceMs,
    );
  }
}

function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last?.level === span.level && last.untilMs === span.sinceMs) last.untilMs = span.untilMs;
    else result.push({ ...span });
  }
  return result;
}

/**
 * Plans the reading of a range of whole milliseconds. Where nothing fine enough is left for one of its ends, that end
 * moves outwards to the border of the shortest bucket that is.
 */
export function planQuestion(request: PlanRequest): Plan {
  const { sinceMs, untilMs } = request;
  const sources = sourcesOf(request);
  const spans = joined(fillGaps(cover({ sinceMs, untilMs }, sources), sources));
  const parts = spans.flatMap(({ level, ...span }) => (level === null ? [] : { level, ...span }));
  const gaps = spans.flatMap(({ level, ...span }) => (level === null ? span : []));
  return {
    parts,
    gaps,
    sinceMs: Math.min(sinceMs, parts[0]?.sinceMs ?? sinceMs),
    untilMs: Math.max(untilMs, parts.at(-1)?.untilMs ?? untilMs),
  };
}
