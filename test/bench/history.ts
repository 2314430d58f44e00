/**
 * Speed and size of history: `bun test/bench/history.ts [rows, default 2000000] [folder, default /tmp]`.
 * Rows arrive in bursts each 20 ms, as the ring drain brings them; queries run on the database that results.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { NO_NAMING } from "../../src/flow/naming.ts";
import { openHistory } from "../../src/history/history.ts";
import type { HistoryConnection, HistoryQuery, HistoryRow } from "../../src/history/types.ts";
import { createLogger } from "../../src/log.ts";

const BURST_MS = 20;
const WINDOW_MS = 10_000;
const BURST_ROWS = 4000;
const MEBIBYTE = 1024 * 1024;

interface Shape {
  name: string;
  connections: number;
  kind: HistoryRow["kind"];
  /** Rows a second; Infinity for as many as the queue takes. */
  rate: number;
  maxDbSizeBytes: number;
}

function connection(index: number): HistoryConnection {
  return {
    client: Uint8Array.of(10, (index >> 16) & 0xff, (index >> 8) & 0xff, index & 0xff),
    server: Uint8Array.of(192, 0, 2, index % 50),
    clientPort: 32_768 + (index % 28_000),
    serverPort: index % 3 === 0 ? 53 : 443,
    protocol: index % 3 === 0 ? 17 : 6,
    interface: "eth0",
    naming: NO_NAMING,
    rowId: 0,
  };
}

function makeRow(index: number, of: HistoryConnection, kind: HistoryRow["kind"]): HistoryRow {
  const sent = index % 2;
  const now = Date.now();
  return {
    connection: of,
    timestampMs: kind === "packet" ? now : Math.floor(now / WINDOW_MS) * WINDOW_MS,
    kind,
    direction: sent === 1 ? "egress" : "ingress",
    packetsSent: sent,
    bytesSent: sent * 74,
    packetsReceived: 1 - sent,
    bytesReceived: (1 - sent) * 1514,
    tcpFlags: 0x18,
    rttNs: null,
    retransmits: 0,
  };
}

async function write(path: string, rows: number, shape: Shape): Promise<void> {
  const history = openHistory({
    path,
    lockFile: () => ({ release: () => undefined }),
    maxDbSizeBytes: shape.maxDbSizeBytes,
    dataRetentionSeconds: 0,
    log: createLogger("warn", "text"),
    now: Date.now,
  });
  const { writer } = history;
  const connections = Array.from({ length: shape.connections }, (_, index) => connection(index));
  const started = performance.now();
  const cpu = process.cpuUsage();
  let largest = 0;
  for (let appended = 0; appended < rows; ) {
    const elapsed = performance.now() - started;
    const { queued, queueCapacity, databaseBytes } = writer.status();
    const due =
      shape.rate === Infinity
        ? Math.min(BURST_ROWS, queueCapacity - queued)
        : Math.floor((elapsed * shape.rate) / 1000) - appended;
    const end = Math.min(rows, appended + Math.max(0, due));
    for (; appended < end; appended++) {
      writer.append(makeRow(appended, connections[(appended * 7919) % connections.length]!, shape.kind));
    }
    largest = Math.max(largest, databaseBytes);
    await Bun.sleep(shape.rate === Infinity ? 0 : BURST_MS);
  }
  await writer.flush(60_000);
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  const status = writer.status();
  await history.close();
  const bytes = statSync(path).size;
  const report = [
    `${Math.round(status.rowsWritten / seconds)} rows/s`,
    `${((used.user + used.system) / 1e4 / seconds).toFixed(0)}% CPU`,
    `${(bytes / status.rowsWritten).toFixed(1)} bytes/row`,
    `longest slice or checkpoint ${history.longestHoldMs().toFixed(1)} ms`,
    `dropped ${Object.values(status.rowsDropped).reduce((sum, count) => sum + count, 0)}`,
    `database at most ${(largest / MEBIBYTE).toFixed(1)} MiB`,
    `RSS ${(process.memoryUsage.rss() / MEBIBYTE).toFixed(0)} MiB`,
  ];
  console.log(`${shape.name}: ${report.join(", ")}`);
}

function read(path: string): void {
  const history = openHistory({
    path,
    lockFile: () => ({ release: () => undefined }),
    maxDbSizeBytes: Number.MAX_SAFE_INTEGER,
    dataRetentionSeconds: 0,
    log: createLogger("warn", "text"),
    now: Date.now,
  });
  const queries: Record<string, Omit<HistoryQuery, "limit">> = {
    newest: {},
    "one client": { ip: "10.0.0.77" },
    "one server": { ip: "192.0.2.7" },
    "network of nobody": { ip: "172.16.0.0/12" },
    "server port": { port: 443 },
    "rare port": { port: 40_000 },
    "unused port": { port: 8443 },
    protocol: { protocol: 17 },
    "unused protocol": { protocol: 132 },
    "unused kind": { kind: "window" },
    direction: { direction: "egress" },
  };
  for (const [name, filter] of Object.entries(queries)) {
    let longest = 0;
    let pages = 0;
    let rows = 0;
    let cursor: string | undefined;
    do {
      const started = performance.now();
      const page = history.reader.query({
        limit: 100,
        ...filter,
        ...(cursor === undefined ? {} : { cursor }),
      });
      longest = Math.max(longest, performance.now() - started);
      pages++;
      rows += page.returned;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined && rows < 100);
    console.log(`query ${name}: ${rows} rows in ${pages} calls, longest call ${longest.toFixed(1)} ms`);
  }
  void history.close();
}

const rows = Number(process.argv[2] ?? 2_000_000);
const root = mkdtempSync(join(process.argv[3] ?? "/tmp", "ayaflow-bench-"));
try {
  const unlimited = Number.MAX_SAFE_INTEGER;
  const capped = Math.floor((rows * 33) / 4);
  const shapes: Shape[] = [
    {
      name: "fastest, 1,000 connections",
      connections: 1000,
      kind: "packet",
      rate: Infinity,
      maxDbSizeBytes: unlimited,
    },
    {
      name: "200,000/s, 10,000 connections",
      connections: 10_000,
      kind: "packet",
      rate: 200_000,
      maxDbSizeBytes: unlimited,
    },
    {
      name: "windows, 65,536 connections",
      connections: 65_536,
      kind: "window",
      rate: Infinity,
      maxDbSizeBytes: unlimited,
    },
    {
      name: `200,000/s, cap ${(capped / MEBIBYTE).toFixed(1)} MiB`,
      connections: 10_000,
      kind: "packet",
      rate: 200_000,
      maxDbSizeBytes: capped,
    },
  ];
  for (const [index, shape] of shapes.entries()) await write(join(root, `${index}.db`), rows, shape);
  read(join(root, "0.db"));
} finally {
  rmSync(root, { recursive: true });
}
