import type { HistoryItem } from "../data/answers.ts";
import type { ChartData, Layer } from "./points.ts";

const MOST_POINTS = 120;

/** Rows of one connection as a chart of what it sent and received; `windowSeconds` is the length of a row, 0 for packets. */
export function itemsChart(
  items: readonly HistoryItem[],
  windowSeconds: number,
  sinceMs: number,
  untilMs: number,
): ChartData {
  const shortest = Math.max(windowSeconds, 1);
  const spanSeconds = Math.max(1, (untilMs - sinceMs) / 1000);
  const step = shortest * Math.max(1, Math.ceil(spanSeconds / MOST_POINTS / shortest));
  const first = Math.floor(sinceMs / 1000 / step);
  const count = Math.max(1, Math.ceil(untilMs / 1000 / step) - first);
  const received = Array.from({ length: count }, () => 0);
  const sent = Array.from({ length: count }, () => 0);
  for (const item of items) {
    const index = Math.floor(item.timestamp / 1000 / step) - first;
    if (index < 0 || index >= count) continue;
    received[index] = (received[index] ?? 0) + item.bytes_received / step;
    sent[index] = (sent[index] ?? 0) + item.bytes_sent / step;
  }
  const layer = (label: string, color: string, values: number[]): Layer => ({
    label,
    color,
    mean: values.reduce((sum, value) => sum + value, 0) / count,
    values: [...values, values.at(-1) ?? 0],
  });
  return {
    times: Array.from({ length: count + 1 }, (_, index) => (first + index) * step),
    layers: [layer("Received", "--received", received), layer("Sent", "--sent", sent)],
    step,
    isStacked: false,
  };
}
