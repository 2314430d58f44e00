import type { QuicInspection } from "./quic-inspection.ts";
import type { TcpInspection } from "./tcp-inspection.ts";

export type Inspection = TcpInspection | QuicInspection;

/** Bytes that all inspections under way may take together. */
export const MEMORY_LIMIT = 32 * 1024 * 1024;
/** What an inspection takes besides the bytes it keeps: measured with a million of them. */
const BASE_BYTES = 1152;

/** In a list from the one that heard nothing for longest to the one that heard something last. */
interface Entry {
  connection: number;
  inspection: Inspection;
  bytes: number;
  older: Entry | null;
  newer: Entry | null;
}

/** The inspections under way, by connection. Past its memory the one that heard nothing for longest is given up. */
export class InspectionPool {
  /** Given up before they had come to an end. */
  evicted = 0;
  private readonly entries = new Map<number, Entry>();
  private oldest: Entry | null = null;
  private newest: Entry | null = null;
  private total = 0;

  /** `dropped` is told of each connection that is given up. */
  constructor(
    private readonly dropped: (connection: number) => void,
    private readonly limit: number = MEMORY_LIMIT,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** Bytes taken, within `limit` at all times. */
  get memory(): number {
    return this.total;
  }

  get(connection: number): Inspection | undefined {
    return this.entries.get(connection)?.inspection;
  }

  /** Keeps an inspection that has just heard something. */
  set(connection: number, inspection: Inspection): void {
    const bytes = BASE_BYTES + inspection.memory;
    const known = this.entries.get(connection);
    if (known === undefined) {
      const entry: Entry = { connection, inspection, bytes, older: null, newer: null };
      this.entries.set(connection, entry);
      this.link(entry);
      this.total += bytes;
    } else {
      this.total += bytes - known.bytes;
      known.inspection = inspection;
      known.bytes = bytes;
      this.unlink(known);
      this.link(known);
    }
    while (this.total > this.limit && this.oldest !== null) {
      const { connection: oldest } = this.oldest;
      this.evicted++;
      this.end(oldest);
      this.dropped(oldest);
    }
  }

  /** An inspection has come to its end by itself. */
  forget(connection: number): void {
    const entry = this.entries.get(connection);
    if (entry === undefined) return;
    this.total -= entry.bytes;
    this.entries.delete(connection);
    this.unlink(entry);
  }

  /** The connection is over: its inspection tells what it has. */
  end(connection: number): void {
    const entry = this.entries.get(connection);
    this.forget(connection);
    entry?.inspection.finish();
  }

  endAll(): void {
    for (const connection of this.entries.keys()) this.end(connection);
  }

  private link(entry: Entry): void {
    entry.older = this.newest;
    entry.newer = null;
    if (this.newest === null) this.oldest = entry;
    else this.newest.newer = entry;
    this.newest = entry;
  }

  private unlink(entry: Entry): void {
    if (entry.older === null) this.oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.newest = entry.older;
    else entry.newer.older = entry.older;
  }
}
