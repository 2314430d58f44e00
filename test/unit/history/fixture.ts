import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "../../../src/bpf/libc.ts";
import { type History, type HistoryOptions, openHistory } from "../../../src/history/history.ts";
import { type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import type { HistoryItem, HistoryQuery, Identity } from "../../../src/history/types.ts";
import type { Logger } from "../../../src/log.ts";
import type { HistoryRow } from "../../support/history-rows.ts";

export const START_MS = Date.UTC(2026, 2, 1, 12);
export const NO_CAP = Number.MAX_SAFE_INTEGER;

/** A folder of its own, removed with the stack. */
export function temporaryFolder(stack: DisposableStack | AsyncDisposableStack): string {
  const folder = mkdtempSync("/tmp/ayaflow-history-");
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The lock of the agent: flock(2). */
export function lockFile(path: string): { release(): void } | null {
  const fd = openSync(path, "r+");
  if (tryLock(fd)) return { release: () => closeSync(fd) };
  closeSync(fd);
  return null;
}

export interface RecordingLogger extends Logger {
  lines: string[];
}

export function recordingLogger(): RecordingLogger {
  const lines: string[] = [];
  const record = (message: string) => {
    lines.push(message);
  };
  return { lines, error: record, warn: record, info: record, debug: record };
}

export function options(folder: string, changes: Partial<HistoryOptions> = {}): HistoryOptions {
  return {
    path: join(folder, "traffic.db"),
    lockFile,
    maxDbSizeBytes: NO_CAP,
    dataRetentionSeconds: 0,
    log: recordingLogger(),
    now: Date.now,
    ...changes,
  };
}

/** An open history, closed with the stack. */
export function open(
  stack: AsyncDisposableStack,
  folder: string,
  changes: Partial<HistoryOptions> = {},
): History {
  const history = openHistory(options(folder, changes));
  stack.defer(() => history.close());
  return history;
}

/** What is known of a connection whose name is `domain`, from TLS if nothing else is said. */
export function named(domain: string, changes: Partial<Naming> = {}): Naming {
  return { ...NO_NAMING, domain, domainSource: "sni", ...changes };
}

/** A connection of client 10.x.y.z, numbered. */
export function connection(index: number, changes: Partial<Identity> = {}): Identity {
  return {
    client: Uint8Array.of(10, (index >> 16) & 0xff, (index >> 8) & 0xff, index & 0xff),
    server: Uint8Array.of(192, 0, 2, 1 + (index % 7)),
    clientPort: 40_000 + (index % 20_000),
    serverPort: 443,
    protocol: 6,
    interface: "eth0",
    naming: NO_NAMING,
    ...changes,
  };
}

export function row(of: Identity, changes: Partial<HistoryRow> = {}): HistoryRow {
  return {
    connection: of,
    timestampMs: START_MS,
    kind: "window",
    direction: "egress",
    packetsSent: 3,
    bytesSent: 200,
    packetsReceived: 2,
    bytesReceived: 3000,
    tcpFlags: 0x1b,
    rttNs: 1_500_000,
    retransmits: 0,
    ...changes,
  };
}

/** Queues a row of an identity that is held only by it. False when it was dropped. */
export function append(
  { writer }: Pick<History, "writer">,
  { connection: of, ...values }: HistoryRow,
): boolean {
  const identity = writer.identities.open(of, of.client.length);
  const isTaken = writer.appendOf(identity, values);
  writer.identities.release(identity);
  return isTaken;
}

export function droppedRows(history: History): number {
  return Object.values(history.status().rowsDropped).reduce((sum, count) => sum + count, 0);
}

/** All rows that match, newest first: on a busy machine one page may end before they do. */
export function queryAll(history: History, filter: Omit<HistoryQuery, "limit" | "cursor">): HistoryItem[] {
  const items: HistoryItem[] = [];
  let cursor: string | null = null;
  do {
    const page = history.reader.query({ limit: 1000, ...filter, ...(cursor === null ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

/** Waits for `condition`, looking each few milliseconds; fails after 20 s. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not so within 20 s: ${condition.toString()}`);
    await Bun.sleep(5);
  }
}
