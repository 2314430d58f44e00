import type { Identity, RowValues } from "../../src/history/types.ts";
import type { HistoryWriter } from "../../src/history/writer.ts";

/** A row and who it is about. */
export interface HistoryRow extends RowValues {
  connection: Identity;
}

/** Identities that a feed holds at a time. */
const MAX_HELD = 8192;

/** Queues rows of connection objects as the agent does of live connections: an identity is held while rows of it may come. */
export class RowFeed {
  private readonly held = new Map<Identity, number>();

  constructor(private readonly writer: HistoryWriter) {}

  /** False when the row was dropped. */
  append(row: HistoryRow): boolean {
    return this.writer.appendOf(this.held.get(row.connection) ?? this.open(row.connection), row);
  }

  private open(connection: Identity): number {
    const { identities } = this.writer;
    const identity = identities.open(connection, connection.client.length);
    this.held.set(connection, identity);
    const [oldest] = this.held;
    if (this.held.size > MAX_HELD && oldest !== undefined) {
      this.held.delete(oldest[0]);
      identities.release(oldest[1]);
    }
    return identity;
  }
}
