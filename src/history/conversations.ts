import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import { StringTable } from "./strings.ts";
import type { HistoryConnection } from "./types.ts";

type Key = [Uint8Array, Uint8Array, number, number, number, number];

/** Domain of a conversation that has none. */
export const NO_DOMAIN = 0;

/** Interns conversations: client, server, server port, protocol, interface and domain. */
export class ConversationTable {
  private readonly find: Statement<{ id: number }, Key>;
  private readonly insert: Statement<unknown, [number, ...Key]>;
  private readonly present: Statement<{ id: number }, [number]>;
  private readonly interfaces: StringTable;
  private readonly domains: StringTable;
  /** Ids are never used twice by one process: a connection may still hold one that retention deleted. */
  private nextId: number;

  constructor(db: SqlConnection) {
    this.find = db.prepare(
      "SELECT id FROM conversations WHERE client = ? AND server = ? AND server_port = ? AND protocol = ? AND interface_id = ? AND domain_id = ?",
    );
    this.insert = db.prepare("INSERT INTO conversations VALUES(?, ?, ?, ?, ?, ?, ?)");
    this.present = db.prepare("SELECT id FROM conversations WHERE id = ?");
    this.interfaces = new StringTable(db, "interfaces");
    this.domains = new StringTable(db, "domains");
    const last = db.query<{ id: number | null }, []>("SELECT max(id) AS id FROM conversations").get();
    this.nextId = (last?.id ?? 0) + 1;
  }

  exists(id: number): boolean {
    return this.present.get(id) !== null;
  }

  /** The id of the conversation that `connection` belongs to, stored on first use. */
  intern(connection: HistoryConnection): number {
    const { client, server, serverPort, protocol, domain } = connection;
    const interfaceId = this.interfaces.intern(connection.interface);
    const domainId = domain === null ? NO_DOMAIN : this.domains.intern(domain.toLowerCase());
    const key: Key = [client, server, serverPort, protocol, interfaceId, domainId];
    const found = this.find.get(...key);
    if (found !== null) return found.id;
    const id = this.nextId++;
    this.insert.run(id, ...key);
    return id;
  }

  /** A transaction was rolled back: what it stored is not there. */
  rolledBack(): void {
    this.interfaces.forget();
    this.domains.forget();
  }
}
