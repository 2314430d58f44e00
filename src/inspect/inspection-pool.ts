import type { QuicInspection } from "./quic-inspection.ts";
import type { TcpInspection } from "./tcp-inspection.ts";

export type Inspection = TcpInspection | QuicInspection;

/** Bytes that all inspections under way may take together. */
export const MEMORY_LIMIT = 32 * 1024 * 1024;
/** What an inspection takes besides the bytes it keeps: measured with a million of them. */
const BASE_BYTES = 1536;

interface Entry {
  inspection: Inspection;
  bytes: number;
}

/** The inspections under way, by connection. Past its memory the one that heard nothing for longest is given up. */
export class InspectionPool {
  /** Given up before they had come to an end. */
  evicted = 0;
  private readonly entries = new Map<number, Entry>();
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
    this.forget(connection);
    const bytes = BASE_BYTES + inspection.memory;
    this.entries.set(connection, { inspection, bytes });
    this.total += bytes;
    for (const [oldest] of this.entries) {
      if (this.total <= this.limit) return;
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
}
