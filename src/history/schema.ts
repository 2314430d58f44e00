import { EPOCH_MS } from "./rowid.ts";

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

/**
 * Version 2.
 * domains: `reversed` has the characters of `name` from last to first, so that a name and all below it are ranges
 * of its index; names are looked up by it alone. Not renamed into place: Bun keeps such a statement unfinished.
 * details: what a handshake told besides the name, '' where nothing, `alpn` as a JSON array.
 * conversations: detail_id, 0 for none, as domain_id is 0 for none. The indexes by name also tell which names are in use.
 */
const VERSION_2 = `
CREATE TABLE domains_1 AS SELECT id, name FROM domains;
DROP TABLE domains;
CREATE TABLE domains(id INTEGER PRIMARY KEY, name TEXT NOT NULL, reversed TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO domains SELECT id, name, (
  WITH RECURSIVE letters(count, text) AS (
    SELECT 0, '' UNION ALL SELECT count + 1, substr(name, count + 1, 1) || text FROM letters WHERE count < length(name)
  ) SELECT text FROM letters ORDER BY count DESC LIMIT 1
) FROM domains_1;
DROP TABLE domains_1;
CREATE TABLE details(
  id INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  alpn TEXT NOT NULL,
  tls_version TEXT NOT NULL,
  ja4 TEXT NOT NULL,
  ech INTEGER NOT NULL,
  UNIQUE(ja4, alpn, source, tls_version, ech)
) STRICT;
ALTER TABLE conversations ADD COLUMN detail_id INTEGER NOT NULL DEFAULT 0;
DROP INDEX conversations_key;
CREATE UNIQUE INDEX conversations_key
  ON conversations(client, server, server_port, protocol, interface_id, domain_id, detail_id);
CREATE INDEX conversations_domain ON conversations(domain_id) WHERE domain_id <> 0;
CREATE INDEX conversations_detail ON conversations(detail_id) WHERE detail_id <> 0;
`;

/**
 * Version 3.
 * levels: one row each of LEVELS of rollup-types.ts, by its place there. `floor`: everything from this millisecond since
 * the epoch on is there, NULL when nothing was ever deleted. `watermark`: everything before it is folded into the
 * level, NULL when nothing is; always for rows. `parts` and `bytes`: of the level in rollups. `lost`: rows, or parts
 * of the level below, that were deleted before they were folded into the level, at most; `lost_since` and `lost_until`: of
 * which time, where the level's sums can be too small therefore, NULL for none.
 * rollups: sums by conversation and direction as rollup-block.ts encodes them. The parts of a bucket, of 1,024 entries
 * at most, do not overlap by conversation. Those of buckets at or after the watermark belong to a fold under way, or
 * to one that a crash ended: they do not count. `conversations` stands before `data`, so that it is read alone.
 * late: rows that came for a bucket that was claimed for folding already. They are not folded while they are here.
 */
const VERSION_3 = `
CREATE TABLE levels(
  id INTEGER PRIMARY KEY,
  floor INTEGER,
  watermark INTEGER,
  parts INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  lost_since INTEGER,
  lost_until INTEGER
) STRICT;
INSERT INTO levels(id, floor)
  SELECT level.id, (oldest.ms + level.length - 1) / level.length * level.length
  FROM (SELECT 0 AS id, 1 AS length UNION ALL VALUES (1, 60000), (2, 3600000), (3, 86400000)) AS level,
    (SELECT (min(id) >> 22) + ${EPOCH_MS} AS ms FROM rows) AS oldest;
CREATE TABLE rollups(
  id INTEGER PRIMARY KEY,
  level INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  first_conversation INTEGER NOT NULL,
  last_conversation INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  conversations BLOB NOT NULL,
  data BLOB NOT NULL
) STRICT;
CREATE INDEX rollups_bucket ON rollups(level, bucket, first_conversation, last_conversation);
CREATE TABLE late(id INTEGER PRIMARY KEY) STRICT;
`;

/** What takes a database from version n to n + 1, by n. Never change one that was released: add another. */
export const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3];
export const SCHEMA_VERSION = MIGRATIONS.length;
/** Tables that a database of the newest version has. */
export const TABLES = [
  "interfaces",
  "domains",
  "details",
  "conversations",
  "rows",
  "segments",
  "levels",
  "rollups",
  "late",
] as const;
