/** Draws the charts of `docs/performance/` from the reports in `dist/bench/`: `bun test/bench/charts.ts`. */
import { join, relative } from "node:path";
import { ROOT } from "../support/command.ts";
import {
  cpuChart,
  type FootprintFigures,
  type HistoryFigures,
  historyChart,
  kernelChart,
  type KernelFigures,
  keptChart,
  type LoadFigures,
  memoryChart,
} from "./support/chart-figures.ts";
import { type Chart, draw } from "./support/gnuplot.ts";
import { reportPath } from "./support/suite.ts";

const FOLDER = join(ROOT, "docs", "performance");

/** What each chart is made from. Figures are as the benchmark of that name wrote them. */
const CHARTS: readonly { file: string; report: string; make: (figures: unknown) => Chart }[] = [
  { file: "cpu.svg", report: "load", make: (figures) => cpuChart(figures as LoadFigures) },
  { file: "kept.svg", report: "load", make: (figures) => keptChart(figures as LoadFigures) },
  { file: "kernel.svg", report: "kernel", make: (figures) => kernelChart(figures as KernelFigures) },
  { file: "memory.svg", report: "footprint", make: (figures) => memoryChart(figures as FootprintFigures) },
  { file: "history.svg", report: "history", make: (figures) => historyChart(figures as HistoryFigures) },
];

/** Draws every chart that there are figures for; returns a line on each. @throws with what gnuplot says. */
export async function drawCharts(): Promise<string[]> {
  const lines: string[] = [""];
  for (const { file, report, make } of CHARTS) {
    const path = join(FOLDER, file);
    const source = Bun.file(reportPath(report));
    if (!(await source.exists())) {
      lines.push(`no chart ${file}: run the benchmark ${report} first`);
      continue;
    }
    const { figures }: { figures: unknown } = await source.json();
    await draw(make(figures), path);
    lines.push(`chart: ${relative(ROOT, path)}`);
  }
  return lines;
}

if (import.meta.main) for (const line of await drawCharts()) console.log(line);
