import type { SeriesAnswer, TimeseriesAnswer } from "../data/answers.ts";

/** One line or layer of a chart, bytes per second a point. */
export interface Layer {
  label: string;
  /** Name of the custom property that has its colour. */
  color: string;
  values: (number | null)[];
  /** Of the whole stretch, bytes per second. */
  mean: number;
}

export interface ChartData {
  /** Seconds since the epoch where each point begins, then the end of the last. */
  times: number[];
  layers: Layer[];
  /** Seconds that a whole point stands for. */
  step: number;
  isStacked: boolean;
}

/** A window of history is written so long after it ended, at most. */
const LATE_MS = 5000;
/** A cut point has to cover some windows of history, of 10 s each: they are counted whole or not at all. */
const LEAST_CUT_MS = 30_000;

const COLORS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];
const OTHER_COLOR = "--series-other";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The time that a point really stands for, milliseconds since the epoch. */
interface Stretch {
  index: number;
  sinceMs: number;
  untilMs: number;
}

/**
 * The points to draw, each with the part of its step that the answer covers. Left out is what is still being counted,
 * and what is cut so short that windows of history make its rate a guess.
 */
export function drawnStretches(
  answer: Pick<TimeseriesAnswer, "points" | "step" | "since" | "until">,
  nowMs: number,
): Stretch[] {
  const since = Date.parse(answer.since);
  const until = Date.parse(answer.until);
  const stepMs = answer.step * 1000;
  const leastMs = Math.min(Math.max(stepMs / 2, LEAST_CUT_MS), stepMs);
  return answer.points
    .map((point, index) => {
      const start = Date.parse(point);
      return { index, sinceMs: Math.max(start, since), untilMs: Math.min(start + stepMs, until) };
    })
    .filter(({ sinceMs, untilMs }) => untilMs - sinceMs >= leastMs && untilMs <= nowMs - LATE_MS);
}

function layerOf(
  label: string,
  color: string,
  bytes: readonly number[],
  stretches: readonly Stretch[],
): Layer {
  const counts = stretches.map(({ index }) => bytes[index] ?? 0);
  const seconds = stretches.map(({ sinceMs, untilMs }) => (untilMs - sinceMs) / 1000);
  const values = counts.map((count, index) => count / (seconds[index] ?? 1));
  return { label, color, values, mean: values.length === 0 ? 0 : sum(counts) / sum(seconds) };
}

/** A series answer as a chart: sent and received, or stacked layers by what it was split by. */
export function chartData(
  answer: TimeseriesAnswer,
  nameOf: ((key: TimeseriesAnswer["series"][number]["key"]) => string) | null,
  nowMs: number,
): ChartData {
  const { step } = answer;
  const stretches = drawnStretches(answer, nowMs);
  const last = stretches.at(-1);
  const times =
    last === undefined ? [] : [...stretches.map(({ sinceMs }) => sinceMs / 1000), last.untilMs / 1000];
  const layer = (label: string, color: string, bytes: readonly number[]) =>
    layerOf(label, color, bytes, stretches);
  if (nameOf === null) {
    const layers = [
      layer("Received", "--received", answer.total.bytes_received),
      layer("Sent", "--sent", answer.total.bytes_sent),
    ];
    return { times, layers: layers.map(repeatLast), step, isStacked: false };
  }
  const layers = answer.series.map((series, index) =>
    layer(nameOf(series.key), COLORS[index % COLORS.length] ?? OTHER_COLOR, series.bytes),
  );
  if (hasBytes(answer.other)) layers.push(layer("others", OTHER_COLOR, answer.other.bytes));
  return { times, layers: layers.map(repeatLast), step, isStacked: true };
}

const hasBytes = ({ bytes }: SeriesAnswer): boolean => bytes.some((value) => value > 0);

/** The last point is as wide as the others: it is drawn up to where it ends. */
function repeatLast(layer: Layer): Layer {
  const last = layer.values.at(-1);
  return last === undefined ? layer : { ...layer, values: [...layer.values, last] };
}

/** What is drawn for each layer: with stacks the sum of it and all below it. */
export function drawnValues({ layers, isStacked }: ChartData): (number | null)[][] {
  if (!isStacked) return layers.map(({ values }) => values);
  const sums: (number | null)[][] = [];
  for (const { values } of layers) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return sums;
}

/** The highest point of what is drawn and when it was; null without any traffic. */
export function peakOf(data: ChartData): { value: number; time: number } | null {
  let peak: { value: number; time: number } | null = null;
  for (const values of drawnValues(data)) {
    for (const [index, value] of values.entries()) {
      if (value !== null && value > (peak?.value ?? 0)) peak = { value, time: data.times[index] ?? 0 };
    }
  }
  return peak;
}
