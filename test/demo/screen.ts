/** The live table: redrawn in place on a terminal, appended elsewhere. */
import type { LiveConnection, StatsAnswer } from "../lab/support/answers.ts";
import { formatBytes, formatCount, table } from "./format.ts";

export const SHOWN = 10;

export interface Picture {
  second: number;
  stats: StatsAnswer;
  connections: readonly LiveConnection[];
}

const RIGHT = new Set([4, 5, 6, 7]);

function row(connection: LiveConnection): string[] {
  const { stats } = connection;
  return [
    connection.protocol,
    connection.connection,
    connection.domain ?? "",
    connection.state === "none" ? "" : connection.state,
    formatBytes(stats.bytes_sent),
    formatBytes(stats.bytes_received),
    `${formatBytes(stats.bytes_per_second)}/s`,
    stats.rtt_ms === null ? "" : `${stats.rtt_ms.toFixed(3)} ms`,
  ];
}

/** Lines of one picture. */
export function pictureLines({ second, stats, connections }: Picture): string[] {
  const head = ["", "CLIENT -> SERVER", "NAME", "STATE", "SENT", "RECEIVED", "RATE", "RTT"];
  const summary = [
    `${String(second).padStart(3)} s`,
    `${formatCount(stats.packets_per_second)} packets/s`,
    `${formatBytes(stats.bytes_per_second)}/s`,
    `${formatCount(stats.active_connections)} open connections`,
    `${formatCount(stats.total_packets)} packets seen`,
    `coverage ${stats.coverage}`,
  ];
  return [
    "",
    summary.join("   "),
    ...table([head, ...connections.map(row)], RIGHT).map((line) => `  ${line}`),
  ];
}

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** A function that shows pictures one after another. */
export function createScreen(output: Output): (lines: string[]) => void {
  let height = 0;
  return (lines) => {
    const isTerminal = output.isTTY === true;
    // A line that wraps would make the picture higher than it counts.
    const shown = isTerminal ? lines.map((line) => line.slice(0, output.columns ?? 80)) : lines;
    const rewind = isTerminal && height > 0 ? `\x1b[${height}A\x1b[J` : "";
    output.write(`${rewind}${shown.join("\n")}\n`);
    height = lines.length;
  };
}
