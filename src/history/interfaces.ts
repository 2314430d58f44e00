import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";

const MAX_CACHED = 4096;

/** Interns the interfaces of connections, each set of them as a path (see flow/path.ts). Only who interns them may delete them. */
export class InterfaceTable {
  private readonly select: Statement<{ id: number }, [string]>;
  private readonly insert: Statement<{ id: number }, [string]>;
  private readonly delete: Statement<{ name: string }, [number]>;
  private readonly cache = new Map<string, number>();

  constructor(db: SqlConnection) {
    this.select = db.prepare("SELECT id FROM interfaces WHERE name = ?");
    this.insert = db.prepare("INSERT INTO interfaces(name) VALUES(?) RETURNING id");
    this.delete = db.prepare("DELETE FROM interfaces WHERE id = ? RETURNING name");
  }

  /** The id of `name`, which is stored on first use; in the transaction that stores what uses it. */
  intern(name: string): number {
    const cached = this.cache.get(name);
    if (cached !== undefined) return cached;
    const id = (this.select.get(name) ?? this.insert.get(name))?.id ?? 0;
    if (this.cache.size >= MAX_CACHED) this.cache.clear();
    this.cache.set(name, id);
    return id;
  }

  /** Deletes a name that no conversation has. SQLite may give its id to another, so it is remembered no longer. */
  remove(id: number): void {
    const removed = this.delete.get(id);
    if (removed !== null) this.cache.delete(removed.name);
  }

  /** A transaction was rolled back: what it stored is not there. */
  forget(): void {
    this.cache.clear();
  }
}
