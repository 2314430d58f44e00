import { useMemo } from "preact/hooks";
import { Chart } from "../chart/chart.tsx";
import { itemsChart } from "../chart/items.ts";
import type { HistoryItem } from "../data/answers.ts";
import { useLive } from "../state/live.ts";

const HEIGHT = 150;

/** Volumes over time of one connection, from its rows of history. */
export function StoryHistory({ items }: { items: readonly HistoryItem[] }) {
  const windowSeconds = useLive().stats?.runtime.aggregation_window_seconds ?? 10;
  const newest = items[0];
  const oldest = items.at(-1);
  const chart = useMemo(() => {
    if (newest === undefined || oldest === undefined) return null;
    const untilMs = newest.timestamp + Math.max(windowSeconds, 1) * 1000;
    return itemsChart(items, windowSeconds, oldest.timestamp, untilMs);
  }, [items, windowSeconds]);
  return (
    <section>
      <h3>Over time</h3>
      {chart === null ? (
        <p class="empty muted">Nothing of it is in history yet. A first row comes after some seconds.</p>
      ) : (
        <Chart
          data={chart}
          sinceMs={(chart.times[0] ?? 0) * 1000}
          untilMs={(chart.times.at(-1) ?? 0) * 1000}
          height={HEIGHT}
          label="Traffic of this connection over time"
        />
      )}
    </section>
  );
}
