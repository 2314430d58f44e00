import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePage } from "../state/page.ts";
import { useStore } from "../state/use-store.ts";
import { formatMoment, formatRate, formatTime, type RateUnit } from "../text/format.ts";
import { visibleText } from "../text/safe-text.ts";
import { WireText } from "../parts/text.tsx";
import { useColorScheme } from "../state/use-media.ts";
import { type ChartOptions, chartOptions, plotData } from "./options.ts";
import { type ChartData, peakOf } from "./points.ts";

interface ChartProps {
  data: ChartData;
  /** Edges of the time axis in milliseconds since the epoch. */
  sinceMs: number;
  untilMs: number;
  height: number;
  /** What it shows, for those who do not see it. */
  label: string;
  onZoom?: (sinceMs: number, untilMs: number) => void;
}

/** A chart of rates over time. Dragging across it zooms in, a double click out. */
export function Chart({ data, sinceMs, untilMs, height, label, onZoom }: ChartProps) {
  const { client, settings } = usePage();
  const unit = useStore(settings.unit);
  const scheme = useColorScheme();
  const [hovered, setHovered] = useState<number | null>(null);
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const now = useRef<ChartOptions>({ data, sinceMs, untilMs, unit, onZoom, onHover: setHovered });
  now.current = { data, sinceMs, untilMs, unit, onZoom, onHover: setHovered };

  // A plot is made anew when its lines are others or look otherwise; new figures only are drawn into it.
  const shape = `${scheme} ${unit} ${height} ${data.isStacked} ${data.layers.map(({ color }) => color).join()}`;
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const size = () => ({ width: Math.max(element.clientWidth, 200), height });
    const made = new uPlot(
      chartOptions(size(), () => now.current),
      plotData(now.current.data),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(plotData(data)), [data, sinceMs, untilMs]);

  const summary = useMemo(() => summaryOf(data, unit, client.agentNow()), [data, unit]);
  return (
    <figure class="chart">
      <Legend data={data} unit={unit} hovered={hovered} />
      <div ref={holder} class="plot" role="img" aria-label={visibleText(`${label}. ${summary}`)} />
    </figure>
  );
}

function summaryOf(data: ChartData, unit: RateUnit, nowMs: number): string {
  const peak = peakOf(data);
  if (peak === null) return "No traffic.";
  const means = data.layers.map((layer) => `${layer.label} ${formatRate(layer.mean, unit)} on average`);
  return `${means.join(", ")}. Highest ${formatRate(peak.value, unit)} at ${formatMoment(peak.time * 1000, nowMs)}.`;
}

interface LegendProps {
  data: ChartData;
  unit: RateUnit;
  hovered: number | null;
}

/** Names and figures of the layers: at the pointer, else the average. */
function Legend({ data, unit, hovered }: LegendProps) {
  const start = hovered === null ? undefined : data.times[hovered];
  const end = data.times[(hovered ?? 0) + 1] ?? 0;
  return (
    <figcaption class="legend" aria-hidden="true">
      {data.layers.map((layer) => (
        <span key={layer.label} class="legend-item">
          <span class="swatch" style={{ backgroundColor: `var(${layer.color})` }} />
          <WireText text={layer.label} />
          <span class="figure">
            {formatRate(start === undefined ? layer.mean : (layer.values[hovered ?? 0] ?? 0), unit)}
          </span>
        </span>
      ))}
      <span class="legend-time muted">
        {start === undefined ? "average" : `${formatTime(start * 1000)} – ${formatTime(end * 1000)}`}
      </span>
    </figcaption>
  );
}
