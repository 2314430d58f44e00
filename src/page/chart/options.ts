import uPlot from "uplot";
import { formatMark, type RateUnit } from "../text/format.ts";
import { roundMarks, timeLabel } from "./axis.ts";
import { type ChartData, drawnValues } from "./points.ts";

/** What a plot draws and whom it tells; read anew each time, so that it need not be made anew. */
export interface ChartOptions {
  data: ChartData;
  sinceMs: number;
  untilMs: number;
  unit: RateUnit;
  onZoom: ((sinceMs: number, untilMs: number) => void) | undefined;
  onHover: (index: number | null) => void;
}

/** Pixels that a drag must have to be one. */
const SHORTEST_DRAG = 6;
const AXIS_FONT = "11px system-ui, sans-serif";
const BITS = 8;

/** Layers as uPlot takes them: the topmost of a stack first, so that each lower one is drawn over it. */
export function plotData(data: ChartData): uPlot.AlignedData {
  const drawn = drawnValues(data);
  return [data.times, ...(data.isStacked ? drawn.toReversed() : drawn)];
}

function colorOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property);
}

/** `color` mixed with the ground, as a fill that does not hide the grid. */
function faded(color: string, share: number): string {
  const numbers = color.match(/[\d.]+/g) ?? [];
  return `rgb(${numbers.slice(0, 3).join(" ")} / ${share})`;
}

function seriesOf({ layers, isStacked }: ChartData): uPlot.Series[] {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return (isStacked ? layers.toReversed() : layers).map(({ label, color }) => {
    const stroke = colorOf(color);
    return {
      label,
      stroke,
      width: isStacked ? 1 : 1.5,
      fill: isStacked ? stroke : faded(stroke, 0.14),
      points: { show: false },
      ...(paths === undefined ? {} : { paths }),
    };
  });
}

function rateAxis(unit: RateUnit): uPlot.Axis {
  return {
    scale: "y",
    stroke: colorOf("--muted"),
    font: AXIS_FONT,
    size: 78,
    gap: 8,
    space: 34,
    grid: { stroke: colorOf("--grid"), width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map((value) => (value === 0 ? "0" : formatMark(value, unit))),
    // Marks at round figures of what is shown, which may be eight times what is plotted.
    splits: (_u, _axis, _min, max) => roundMarks(max, unit === "bits" ? BITS : 1),
  };
}

function timeAxis(): uPlot.Axis {
  return {
    stroke: colorOf("--muted"),
    font: AXIS_FONT,
    size: 26,
    gap: 6,
    space: 70,
    grid: { show: false },
    ticks: { stroke: colorOf("--grid"), width: 1, size: 4 },
    values: (_u, splits, _axis, _space, distance) => splits.map((value) => timeLabel(value, distance)),
  };
}

/** The index of the point that a place on the time axis lies in: points are as wide as their step. */
function pointAt(times: readonly number[], closest: number, value: number): number {
  const index = (times[closest] ?? 0) > value ? closest - 1 : closest;
  return Math.min(Math.max(index, 0), Math.max(times.length - 2, 0));
}

function zoomed(plot: uPlot, { onZoom }: ChartOptions): void {
  const { left, width } = plot.select;
  if (width >= SHORTEST_DRAG)
    onZoom?.(plot.posToVal(left, "x") * 1000, plot.posToVal(left + width, "x") * 1000);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

export function chartOptions(
  size: { width: number; height: number },
  current: () => ChartOptions,
): uPlot.Options {
  const { data, unit, onZoom } = current();
  return {
    ...size,
    legend: { show: false },
    padding: [10, 28, 0, 0],
    scales: {
      x: { time: true, range: () => [current().sinceMs / 1000, current().untilMs / 1000] },
      y: { range: (_u, _min, max) => [0, Number.isFinite(max) && max > 0 ? max * 1.08 : 1] },
    },
    series: [{}, ...seriesOf(data)],
    axes: [timeAxis(), rateAxis(unit)],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: onZoom !== undefined, y: false, setScale: false },
      dataIdx: (plot, _series, closest, value) => pointAt(plot.data[0] as number[], closest, value),
      bind: {
        // Its own meaning of a double click is to show all that was ever drawn.
        dblclick: () => null,
      },
    },
    hooks: {
      setSelect: [(plot) => zoomed(plot, current())],
      setCursor: [
        (plot) => {
          const { idx, left = -1 } = plot.cursor;
          current().onHover(left < 0 ? null : (idx ?? null));
        },
      ],
    },
  };
}
