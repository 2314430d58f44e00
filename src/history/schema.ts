/** Marks a file as AyaFlow's (PRAGMA application_id): "AyaF". */
export const APPLICATION_ID = 0x41796146;

export const KIND_WINDOW = 0;
export const KIND_PACKET = 1;
export const DIRECTION_INGRESS = 0;
export const DIRECTION_EGRESS = 1;

/**
 * Version 1.
 * conversations: who talks to whom by which service: what rollups count by, so the client's port is in the row.
 * rows: see rowid.ts for the id. Counters are of the window or packet; rtt is in nanoseconds.
 * segments: for each run of rows in order of writing, the range of their ids and which conversations and ports
 * (either end) are in it, as id-set.ts encodes them; NULL while the run grows: anything may be in it.
 */
const VERSION_1 = `
CREATE TABLE interfaces(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE domains(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE conversations(
  id INTEGER PRIMARY KEY,
  client BLOB NOT NULL,
  server BLOB NOT NULL,
  server_port INTEGER NOT NULL,
  protocol INTEGER NOT NULL,
  interface_id INTEGER NOT NULL,
  domain_id INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX conversations_key
  ON conversations(client, server, server_port, protocol, interface_id, domain_id);
CREATE INDEX conversations_server ON conversations(server);
CREATE TABLE rows(
  id INTEGER PRIMARY KEY,
  conversation_id INTEGER NOT NULL,
  client_port INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  direction INTEGER NOT NULL,
  packets_sent INTEGER NOT NULL,
  bytes_sent INTEGER NOT NULL,
  packets_received INTEGER NOT NULL,
  bytes_received INTEGER NOT NULL,
  tcp_flags INTEGER NOT NULL,
  rtt INTEGER,
  retransmits INTEGER NOT NULL
) STRICT;
CREATE TABLE segments(
  id INTEGER PRIMARY KEY,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  conversations BLOB,
  ports BLOB
) STRICT;
CREATE INDEX segments_range ON segments(last_id, first_id);
`;

/** What takes a database from version n to n + 1, by n. Never change one that was released: add another. */
export const MIGRATIONS: readonly string[] = [VERSION_1];
export const SCHEMA_VERSION = MIGRATIONS.length;
/** Tables that a database of the newest version has. */
export const TABLES = ["interfaces", "domains", "conversations", "rows", "segments"] as const;
