/** Pictures by gnuplot that can be read on a white and on a dark page. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { exec } from "../../lab/support/process.ts";

interface Picture {
  title: string;
  yLabel: string;
  logY?: boolean;
  /** Lower and upper end of the y axis, as gnuplot writes ranges: `0:100`. */
  yRange?: string;
}

/** Lines through points, one for each series. */
export interface LineChart extends Picture {
  kind: "lines";
  xLabel: string;
  logX?: boolean;
  series: readonly { name: string; points: readonly (readonly [number, number])[] }[];
}

/** For each group a bar of each series, side by side or one on top of the other. */
export interface BarChart extends Picture {
  kind: "bars";
  xLabel?: string;
  isStacked?: boolean;
  series: readonly string[];
  /** Values in the order of `series`; null for none. */
  groups: readonly { name: string; values: readonly (number | null)[] }[];
}

/** For each row a bar from the left, and a mark further on. */
export interface RowChart extends Omit<Picture, "logY" | "yRange" | "yLabel"> {
  kind: "rows";
  xLabel: string;
  barName: string;
  markName: string;
  /** Positive: the axis is logarithmic. */
  rows: readonly { name: string; bar: number; mark: number }[];
}

export type Chart = LineChart | BarChart | RowChart;

/** Told apart on white and on black, and by most who do not see all colours (after Okabe and Ito). */
const COLOURS = ["#2b8cd0", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#7f7f7f"];
const TEXT = "#808080";
const GRID = "#999999";
const [WIDTH, HEIGHT] = [760, 420];
const ROW_HEIGHT = 26;
/** Of a chart of rows: what is not rows. */
const FRAME_HEIGHT = 110;
const BAR_HALF = 0.36;

/** Text as gnuplot reads it. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function block(name: string, lines: readonly string[]): string {
  return `$${name} << EOD\n${lines.join("\n")}\nEOD`;
}

function colour(index: number): string {
  return `lc rgb "${COLOURS[index % COLOURS.length]}"`;
}

function head(chart: Chart, terminal: string): string[] {
  return [
    terminal,
    `set title ${quoted(chart.title)} tc rgb "${TEXT}"`,
    `set border 3 lc rgb "${GRID}"`,
    `set tics nomirror tc rgb "${TEXT}"`,
    `set grid lc rgb "${GRID}" lw 0.4 dt 3`,
    `set key outside center top horizontal tc rgb "${TEXT}"`,
    `set xlabel tc rgb "${TEXT}"`,
    `set ylabel tc rgb "${TEXT}"`,
  ];
}

function yAxis({ yLabel, logY, yRange }: Picture): string[] {
  return [
    `set ylabel ${quoted(yLabel)}`,
    ...(logY === true ? ["set logscale y"] : []),
    ...(yRange === undefined ? [] : [`set yrange [${yRange}]`]),
  ];
}

function lineScript(chart: LineChart): string[] {
  const { series } = chart;
  return [
    ...yAxis(chart),
    `set xlabel ${quoted(chart.xLabel)}`,
    ...(chart.logX === true ? ["set logscale x"] : ["set xrange [0:*]"]),
    'set format x "%.0s%c"',
    ...series.map(({ points }, index) =>
      block(
        `d${index}`,
        points.map((point) => point.join(" ")),
      ),
    ),
    `plot ${series
      .map(
        ({ name }, index) =>
          `$d${index} with linespoints lw 2 pt 7 ps 0.6 ${colour(index)} title ${quoted(name)}`,
      )
      .join(", ")}`,
  ];
}

function barScript(chart: BarChart): string[] {
  const lines = chart.groups.map(({ name, values }) =>
    [quoted(name), ...values.map((value) => value ?? "NaN")].join(" "),
  );
  return [
    ...yAxis(chart),
    ...(chart.xLabel === undefined ? [] : [`set xlabel ${quoted(chart.xLabel)}`]),
    "set xtics scale 0",
    "set style data histograms",
    `set style histogram ${chart.isStacked === true ? "rowstacked" : "clustered gap 1"}`,
    "set style fill solid 0.9 noborder",
    chart.isStacked === true ? "set boxwidth 0.5" : "set boxwidth 0.9",
    "unset grid",
    `set grid y lc rgb "${GRID}" lw 0.4 dt 3`,
    block("d", lines),
    `plot ${chart.series
      .map((name, index) => `$d using ${index + 2}:xtic(1) ${colour(index)} title ${quoted(name)}`)
      .join(", ")}`,
  ];
}

function rowScript(chart: RowChart): string[] {
  const { rows } = chart;
  const lines = rows.map(({ name, bar, mark }) => `${quoted(name)} ${bar} ${mark}`);
  const least = 10 ** Math.floor(Math.log10(Math.min(...rows.map(({ bar }) => bar))));
  return [
    `set xlabel ${quoted(chart.xLabel)}`,
    "set logscale x",
    `set xrange [${least}:*]`,
    `set yrange [${rows.length - 0.4}:-0.6]`,
    "unset grid",
    `set grid x lc rgb "${GRID}" lw 0.4 dt 3`,
    "set style fill solid 0.9 noborder",
    block("d", lines),
    `plot $d using 2:0:(${least}):2:($0-${BAR_HALF}):($0+${BAR_HALF}):ytic(1) with boxxyerror ${colour(0)} title ${quoted(chart.barName)}, ` +
      `$d using 3:0 with points pt 7 ps 0.8 ${colour(1)} title ${quoted(chart.markName)}`,
  ];
}

function script(chart: Chart): string[] {
  switch (chart.kind) {
    case "lines":
      return lineScript(chart);
    case "bars":
      return barScript(chart);
    case "rows":
      return rowScript(chart);
  }
}

/** Draws a chart to `path`, as SVG without a background. @throws with what gnuplot says when it cannot. */
export async function draw(chart: Chart, path: string): Promise<void> {
  const height = chart.kind === "rows" ? FRAME_HEIGHT + ROW_HEIGHT * chart.rows.length : HEIGHT;
  const terminal = `set terminal svg noenhanced size ${WIDTH},${height} dynamic font "sans-serif,13"`;
  mkdirSync(dirname(path), { recursive: true });
  const lines = [...head(chart, terminal), `set output ${quoted(path)}`, ...script(chart)];
  const { stderr } = await exec(["gnuplot"], { stdin: `${lines.join("\n")}\n` });
  if (stderr.trim() !== "") throw new Error(`gnuplot, ${chart.title}: ${stderr}`);
}
