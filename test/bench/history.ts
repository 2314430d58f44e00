/**
 * History: a day of ten million rows written as fast as they are taken, questions about it, and packets at a steady rate:
 * `bun test/bench/history.ts [--rows N] [--folder DIRECTORY, default /tmp]`. The files go when it ends.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Day } from "./support/day.ts";
import { type QueryTimes, type SumTimes, timeQueries, timeSums } from "./support/history-queries.ts";
import {
  makingNs,
  openAt,
  removeDatabase,
  type WriteCost,
  writeRows,
  type WriteShape,
} from "./support/history-writing.ts";
import { atLeast, atMost, type Bound, publish, type Table } from "./support/report.ts";

const ROWS = 10_000_000;
/** Raw mode of 200,000 packets/s brings so many. */
const PACKET_RATE = 200_000;
const PACKET_SHARE = 1 / 10;
/** Of the packets' size without a cap. */
const CAPPED_BYTES_A_ROW = 33 / 4;
const QUESTIONS = 100;
const QUESTION_BUDGET_MS = 1000;
const HOUR_SUMS = 10;
const DAY_SUMS = 3;
const DAY_HOURS = 24;
const MEGABYTE = 1e6;
const MIN_ROWS_PER_SECOND = 250_000;

const whole = (value: number) => Math.round(value).toLocaleString("en");

/** Rows of raw mode: one a packet, its time its own. */
function packetsOf(day: Day): WriteShape["next"] {
  let count = 0;
  return () => {
    const isSent = count++ % 2 === 0;
    const { connection, direction, tcpFlags } = day.next();
    return {
      connection,
      timestampMs: performance.timeOrigin + performance.now(),
      kind: "packet",
      direction,
      packetsSent: isSent ? 1 : 0,
      bytesSent: isSent ? 74 : 0,
      packetsReceived: isSent ? 0 : 1,
      bytesReceived: isSent ? 0 : 1514,
      tcpFlags,
      rttNs: null,
      retransmits: 0,
    };
  };
}

function writingTable(costs: readonly WriteCost[]): Table {
  return {
    title: "Writing",
    columns: [
      "",
      "rows",
      "rows/s",
      "CPU",
      "CPU ns/row",
      "bytes/row",
      "longest hold ms",
      "dropped",
      "largest MB",
    ],
    rows: costs.map((cost) => [
      cost.name,
      whole(cost.rows),
      whole(cost.rowsPerSecond),
      `${cost.cpuPercent.toFixed(0)}%`,
      whole(cost.cpuNsPerRow),
      cost.bytesPerRow?.toFixed(1) ?? "-",
      cost.longestHoldMs.toFixed(1),
      whole(cost.dropped),
      (cost.largestBytes / MEGABYTE).toFixed(0),
    ]),
    note: "CPU of all threads, without what making the rows takes; bytes/row of the closed file.",
  };
}

function queryTable(times: readonly QueryTimes[], rows: number): Table {
  return {
    title: `Questions to a day of ${whole(rows)} rows`,
    columns: ["", "asked", "median ms", "p99 ms", "longest call ms", "calls", "rows"],
    rows: times.map((one) => [
      one.name,
      String(one.count),
      one.medianMs.toFixed(2),
      one.p99Ms.toFixed(2),
      one.longestCallMs.toFixed(2),
      one.calls.toFixed(1),
      one.rows.toFixed(0),
    ]),
    note: "Until a page of 100 rows is full or there are no more, by as many calls as it takes; each call holds the event loop.",
  };
}

function sumTable(sums: readonly SumTimes[]): Table {
  return {
    title: "Sums by domain (/api/domains)",
    columns: ["", "median ms", "longest ms", "rows", "whole"],
    rows: sums.map((one) => [
      `over ${one.hours} h`,
      one.medianMs.toFixed(0),
      one.longestMs.toFixed(0),
      whole(one.rows),
      one.isWhole ? "yes" : "no",
    ]),
    note: "In slices, between which the event loop runs. `no`: time was up first, and the answer said where to go on.",
  };
}

function boundsOf(day: WriteCost, steady: WriteCost): Bound[] {
  return [
    atLeast(
      "window rows written, as fast as they are taken",
      day.rowsPerSecond,
      MIN_ROWS_PER_SECOND,
      "rows/s",
      0,
    ),
    atMost(`rows dropped at ${whole(PACKET_RATE)} packets/s`, steady.dropped, 0, "rows", 0),
  ];
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: String(ROWS) },
    folder: { type: "string", default: "/tmp" },
    json: { type: "string" },
  },
});
const rows = Number(values.rows);
if (!Number.isSafeInteger(rows) || rows < 1)
  throw new Error(`--rows: ${values.rows} is not a number of rows`);
const folder = mkdtempSync(join(values.folder, "ayaflow-bench-"));
try {
  const calibration = new Day(rows);
  const windowNs = makingNs(() => calibration.next());
  const packetNs = makingNs(packetsOf(calibration));

  const day = new Day(rows);
  const dayFile = join(folder, "day.db");
  const dayCost = await writeRows(
    dayFile,
    { name: "a day of windows, as fast as it goes", rows, next: () => day.next() },
    windowNs,
  );

  const history = openAt(dayFile);
  const times = timeQueries(history.reader, day.startMs, QUESTIONS, QUESTION_BUDGET_MS);
  const sums = [
    await timeSums(history.reader, day.startMs, 1, HOUR_SUMS),
    await timeSums(history.reader, day.startMs, DAY_HOURS, DAY_SUMS),
  ];
  await history.close();
  removeDatabase(dayFile);

  const packets = Math.ceil(rows * PACKET_SHARE);
  const steady = { rows: packets, rate: PACKET_RATE };
  const file = join(folder, "packets.db");
  const steadyCost = await writeRows(
    file,
    { ...steady, name: `packets, ${whole(PACKET_RATE)}/s`, next: packetsOf(new Day(packets)) },
    packetNs,
  );
  removeDatabase(file);
  const maxDbSizeBytes = Math.floor(packets * CAPPED_BYTES_A_ROW);
  const cappedCost = await writeRows(
    file,
    {
      ...steady,
      name: `the same, at most ${(maxDbSizeBytes / MEGABYTE).toFixed(1)} MB`,
      next: packetsOf(new Day(packets)),
      maxDbSizeBytes,
    },
    packetNs,
  );

  const writing = [dayCost, steadyCost, cappedCost];
  await publish({
    name: "history",
    tables: [writingTable(writing), queryTable(times, rows), sumTable(sums)],
    bounds: boundsOf(dayCost, steadyCost),
    figures: { rows, writing, queries: times, sums },
  });
} finally {
  rmSync(folder, { recursive: true });
}
