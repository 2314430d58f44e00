/**
 * What counting takes of a host's throughput: `bun test/bench/throughput.ts [--quick]`. iperf3 across veth pairs whose
 * receiving end has nothing, the agent, or the classic design attached, in turn.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Kind, STAGES, type Throughput, throughputs } from "./support/iperf.ts";
import { median } from "./support/measure.ts";
import { atLeast, publish, type Table } from "./support/report.ts";

const ROUNDS = 10;
const QUICK_ROUNDS = 2;
const KEPT_PERCENT = 97;
const GIGA = 1e9;
const KILO = 1e3;
const MAX_BUFFER = 8 << 20;

/** As much as the kernel allows: with less, datagrams are lost to how the receiver is scheduled, and that varies most. */
function socketBuffer(): number {
  const limits = ["rmem_max", "wmem_max"].map((name) =>
    Number(readFileSync(`/proc/sys/net/core/${name}`, "utf8")),
  );
  return Math.min(MAX_BUFFER, ...limits);
}

// Cubic, where BBR is the default: that paces by what it measures, which makes the rounds differ more.
const TCP = ["-C", "cubic"];
const SEGMENTED = { offloads: true };
const ON_THE_WIRE = { offloads: false };
const KINDS: readonly Kind[] = [
  { name: "TCP, MTU 1500, offloads on", lab: SEGMENTED, args: TCP, unit: "bits" },
  {
    name: "UDP, 64 bytes of payload",
    lab: SEGMENTED,
    args: ["-u", "-l", "64", "-b", "0", "-w", String(socketBuffer())],
    unit: "datagrams",
  },
  { name: "TCP, MTU 1500, offloads off", lab: ON_THE_WIRE, args: TCP, unit: "bits" },
];

function shown(value: number, { unit }: Kind): string {
  return unit === "bits" ? `${(value / GIGA).toFixed(2)} Gbit/s` : `${(value / KILO).toFixed(0)}k/s`;
}

const percent = (share: number) => `${(share * 100).toFixed(1)}%`;

function row({ kind, reached, kept }: Throughput): string[] {
  const medians = STAGES.map((stage) => shown(median(reached[stage]), kind));
  return [kind.name, ...medians, percent(kept.ours), percent(kept.classic)];
}

const { values } = parseArgs({ options: { quick: { type: "boolean" } }, strict: false });
const rounds = values.quick === true ? QUICK_ROUNDS : ROUNDS;
const results = await throughputs(KINDS, rounds);

const table: Table = {
  title: "Throughput taken from the host: iperf3 across a veth pair",
  columns: ["", ...STAGES, "ours / none", "classic / none"],
  rows: results.map(row),
  note: `what arrives, medians of ${rounds} rounds of a second each; ratios are medians of those of each round`,
};

await publish({
  name: "throughput",
  tables: [table],
  bounds: results.map(({ kind, kept }) =>
    atLeast(`${kind.name}: kept with the agent attached`, kept.ours * 100, KEPT_PERCENT, "%"),
  ),
  figures: results.map(({ kind, reached, kept }) => ({ kind: kind.name, unit: kind.unit, reached, kept })),
});
