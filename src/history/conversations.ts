import type { Statement } from "bun:sqlite";
import type { SqlConnection } from "./connection.ts";
import type { InterfaceTable } from "./interfaces.ts";
import { NamingTable } from "./naming-table.ts";
import type { Identity } from "./types.ts";

type Key = [Uint8Array, Uint8Array, number, number, number, number, number];

/** Interns conversations: client, server, server port, protocol, interface and naming. */
export class ConversationTable {
  private readonly find: Statement<{ id: number }, Key>;
  private readonly insert: Statement<unknown, [number, ...Key]>;
  private readonly present: Statement<{ id: number }, [number]>;
  private readonly namings: NamingTable;
  /** Ids are never used twice by one process: a connection may still hold one that retention deleted. */
  private nextId: number;

  constructor(
    db: SqlConnection,
    private readonly interfaces: InterfaceTable,
  ) {
    this.find = db.prepare(
      `SELECT id FROM conversations WHERE client = ? AND server = ? AND server_port = ? AND protocol = ?
         AND interface_id = ? AND domain_id = ? AND detail_id = ?`,
    );
    this.insert = db.prepare("INSERT INTO conversations VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    this.present = db.prepare("SELECT id FROM conversations WHERE id = ?");
    this.namings = new NamingTable(db);
    const last = db.query<{ id: number | null }, []>("SELECT max(id) AS id FROM conversations").get();
    this.nextId = (last?.id ?? 0) + 1;
  }

  exists(id: number): boolean {
    return this.present.get(id) !== null;
  }

  /** The id of the conversation that `identity` belongs to, stored on first use. */
  intern(identity: Identity): number {
    const { client, server, serverPort, protocol } = identity;
    const interfaceId = this.interfaces.intern(identity.interface);
    const { domainId, detailId } = this.namings.intern(identity.naming);
    const key: Key = [client, server, serverPort, protocol, interfaceId, domainId, detailId];
    const found = this.find.get(...key);
    if (found !== null) return found.id;
    const id = this.nextId++;
    this.insert.run(id, ...key);
    return id;
  }

  /** A transaction was rolled back: what it stored is not there. */
  rolledBack(): void {
    this.interfaces.forget();
  }
}
