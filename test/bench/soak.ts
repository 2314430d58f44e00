/**
 * An hour in which connections, requests and streams come and go, and nothing may grow:
 * `npm run bench:soak`, or `bun test/bench/soak.ts [--minutes N]`.
 */
import { parseArgs } from "node:util";
import { startAgent } from "../lab/support/agent.ts";
import { createLab } from "../lab/support/lab.ts";
import { churn, CONNECTIONS_OF_VISIT } from "./support/soak-traffic.ts";
import { atMost, type Bound, publish, type Table } from "./support/report.ts";
import { SoakClient } from "./support/soak-client.ts";
import { type Field, growth, type Sample, Sampler } from "./support/soak-samples.ts";

const MINUTES = 60;
const SAMPLES = 60;
/** Readings of memory for each sample. */
const READINGS = 60;
const VISITS_PER_SECOND = 500;
const MEGABYTE = 1e6;
const MAX_DB_BYTES = 32 * 1024 * 1024;
const SETTLE_MS = 500;
const ARGS = [
  "--deep-inspect",
  "--connection-timeout",
  "10",
  "--max-db-size",
  `${MAX_DB_BYTES}`,
  "--data-retention",
  "10m",
];
/** Memory may grow by this share or so many bytes, whatever is more: the runtime gives it back when it likes to. */
const GROWTH_SHARE = 0.03;
const GROWTH_BYTES = 2e6;

const megabytes = (bytes: number) => (bytes / MEGABYTE).toFixed(1);

/** What is shown of each sample, and how. */
const FIELDS: readonly { field: Field; name: string; show: (value: number) => string }[] = [
  { field: "rss", name: "RSS MB", show: megabytes },
  { field: "rssPeak", name: "peak MB", show: megabytes },
  { field: "anonymous", name: "anonymous MB", show: megabytes },
  { field: "fds", name: "files", show: String },
  { field: "threads", name: "threads", show: String },
  { field: "bpfObjects", name: "BPF objects", show: String },
  { field: "kernelBytes", name: "kernel MB", show: megabytes },
  { field: "connections", name: "connections", show: String },
  { field: "databaseBytes", name: "database MB", show: megabytes },
  { field: "inspectionBytes", name: "inspection bytes", show: String },
  { field: "addressNames", name: "names", show: String },
  { field: "rowsWritten", name: "rows", show: String },
  { field: "lost", name: "lost", show: String },
];
const MEMORY = ["rss", "anonymous"] as const;
const COUNTS = ["fds", "threads", "bpfObjects", "kernelBytes"] as const;

function cells(sample: Sample): string[] {
  return [sample.minutes.toFixed(1), ...FIELDS.map(({ field, show }) => show(sample[field]))];
}

const HEAD = ["minutes", ...FIELDS.map(({ name }) => name)];

/** A row of the table that is printed as it comes. */
function underHead(row: readonly string[]): string {
  return row.map((cell, column) => cell.padStart(HEAD[column]?.length ?? 0)).join("  ");
}

function growthTable(samples: readonly Sample[]): Table {
  return {
    title: "Growth",
    columns: ["", "second quarter", "last quarter", "an hour, by the second half"],
    rows: FIELDS.map(({ field, name, show }) => {
      const { before, after, perHour } = growth(samples, field);
      return [name, show(before), show(after), show(Math.round(perHour))];
    }),
    note: "Medians of the samples; the slope is of a line through them.",
  };
}

function boundsOf(samples: readonly Sample[]): Bound[] {
  const grown = (field: Field) => {
    const { before, after } = growth(samples, field);
    return { before, by: Math.max(0, after - before) };
  };
  const nameOf = (field: Field) => FIELDS.find((one) => one.field === field)?.name ?? field;
  const memory = MEMORY.map((field) => {
    const { before, by } = grown(field);
    const limit = Math.max(GROWTH_BYTES, before * GROWTH_SHARE) / MEGABYTE;
    return atMost(`growth of ${nameOf(field)}`, by / MEGABYTE, Number(limit.toFixed(2)), "MB", 2);
  });
  const counts = COUNTS.map((field) => atMost(`growth of ${nameOf(field)}`, grown(field).by, 0, "", 0));
  const largest = Math.max(...samples.map(({ databaseBytes }) => databaseBytes));
  return [
    ...memory,
    ...counts,
    atMost("database", largest / MEGABYTE, Number(megabytes(MAX_DB_BYTES)), "MB", 1),
    atMost("lost", samples.at(-1)?.lost ?? Number.NaN, 0, "", 0),
  ];
}

const { values } = parseArgs({
  options: { minutes: { type: "string", default: String(MINUTES) }, json: { type: "string" } },
});
const totalMs = Number(values.minutes) * 60_000;
if (!(totalMs > 0)) throw new Error(`--minutes: ${values.minutes} is not a time`);

await using lab = await createLab();
await using agent = await startAgent(lab.server, lab.folder, { args: ARGS });
const client = new SoakClient(agent);
const started = performance.now();
const elapsedMs = () => performance.now() - started;
const stop = new AbortController();
const traffic = churn(lab, VISITS_PER_SECOND, () => stop.signal.aborted);
// Rejected meanwhile, it ends the run where it is awaited.
traffic.catch(() => stop.abort());

using sampler = new Sampler(agent, totalMs / SAMPLES / READINGS);
const samples: Sample[] = [];
console.log(HEAD.join("  "));
while (samples.length < SAMPLES && !stop.signal.aborted) {
  const dueMs = ((samples.length + 1) / SAMPLES) * totalMs;
  do await client.step();
  while (elapsedMs() < dueMs && !stop.signal.aborted);
  await client.pause();
  await Bun.sleep(SETTLE_MS);
  const sample = await sampler.take(elapsedMs() / 60_000);
  samples.push(sample);
  console.log(underHead(cells(sample)));
}
stop.abort();
const visits = await traffic;
const { requests, streams, messages } = client.usage;
console.log(
  `\n${visits * CONNECTIONS_OF_VISIT} connections, ${requests} requests, ${streams} streams with ${messages} messages`,
);

await publish({
  name: "soak",
  tables: [growthTable(samples)],
  bounds: boundsOf(samples),
  figures: { minutes: Number(values.minutes), visits, usage: client.usage, samples },
});
