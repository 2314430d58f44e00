import { formatAddress } from "../flow/address.ts";
import { protocolName } from "../flow/protocol.ts";
import type { SqlConnection } from "./connection.ts";
import type { GroupKey, GroupValues } from "./question-types.ts";

/** Between the parts of a key: no name has one (see inspect/names.ts). */
const SEPARATOR = "\n";
/** Names looked up at a time. */
const NAMES_PER_READ = 512;
/** Keys taken apart or formatted at a time: some 2 ms. */
const KEYS_PER_STEP = 512;
const IPV4_BYTES = 4;

function network(column: string): string {
  return `hex(substr(${column}, 1, CASE length(${column}) WHEN ${IPV4_BYTES} THEN 3 ELSE 6 END))`;
}

const NAME = "coalesce((SELECT name FROM domains WHERE id = c.domain_id), '')";

/** The part of a key that is made of conversation `c` with detail `t`; text or a number. */
const KEY_SQL: Readonly<Record<GroupKey, string>> = {
  client: "hex(c.client)",
  server: "hex(c.server)",
  server_port: "c.server_port",
  protocol: "c.protocol",
  interface: "c.interface_id",
  domain: "c.domain_id",
  registered_domain: NAME,
  source: "coalesce(t.source, '')",
  client_network: network("c.client"),
  server_network: network("c.server"),
};

/** SQL for the key of the group of conversation `c`, whose detail is `t`. */
export function keySql(groupBy: readonly GroupKey[]): string {
  return groupBy.map((key) => KEY_SQL[key]).join(` || char(${SEPARATOR.charCodeAt(0)}) || `) || "''";
}

/** What makes the key of a group of what `keySql` selects: names become the domains that were registered for them. */
export function keyFold(
  groupBy: readonly GroupKey[],
  registered: (domain: string) => string,
): (key: string) => string {
  const at = groupBy.flatMap((key, index) => (key === "registered_domain" ? [index] : []));
  if (at.length === 0) return (key) => key;
  return (key) => {
    const parts = key.split(SEPARATOR);
    for (const index of at) parts[index] = registered(parts[index] ?? "");
    return parts.join(SEPARATOR);
  };
}

function formatNetwork(bytes: Uint8Array): string {
  const isIpv4 = bytes.length < IPV4_BYTES;
  const address = new Uint8Array(isIpv4 ? IPV4_BYTES : 16);
  address.set(bytes);
  return `${formatAddress(address)}/${bytes.length * 8}`;
}

/** Names by id of the table `domains` or `interfaces`, a few at a time. */
function* readNames(
  db: SqlConnection,
  table: "domains" | "interfaces",
  ids: ReadonlySet<string>,
): Generator<void, Map<string, string>> {
  const names = new Map<string, string>();
  const wanted = [...ids];
  const sql = `SELECT CAST(n.id AS TEXT) AS id, n.name FROM json_each(?) AS j CROSS JOIN ${table} AS n ON n.id = j.value`;
  for (let from = 0; from < wanted.length; from += NAMES_PER_READ) {
    const some = `[${wanted.slice(from, from + NAMES_PER_READ).join()}]`;
    for (const { id, name } of db.query<{ id: string; name: string }, [string]>(sql).all(some))
      names.set(id, name);
    yield;
  }
  return names;
}

/** As Array.map, in slices. */
function* mapKeys<From, To>(keys: readonly From[], to: (key: From) => To): Generator<void, To[]> {
  const mapped: To[] = [];
  for (const key of keys) {
    mapped.push(to(key));
    if (mapped.length % KEYS_PER_STEP === 0) yield;
  }
  return mapped;
}

/** The values of the keys of groups, in slices. */
export function* readValues(
  db: SqlConnection,
  groupBy: readonly GroupKey[],
  keys: readonly string[],
): Generator<void, GroupValues[]> {
  const parts = yield* mapKeys(keys, (key) => key.split(SEPARATOR));
  const idsOf = (of: GroupKey) =>
    new Set(groupBy.flatMap((key, index) => (key === of ? parts.map((part) => part[index] ?? "0") : [])));
  const domains = yield* readNames(db, "domains", idsOf("domain"));
  const interfaces = yield* readNames(db, "interfaces", idsOf("interface"));
  const format: Readonly<Record<GroupKey, (part: string) => string | number | null>> = {
    client: (part) => formatAddress(Buffer.from(part, "hex")),
    server: (part) => formatAddress(Buffer.from(part, "hex")),
    server_port: Number,
    protocol: (part) => protocolName(Number(part)),
    interface: (part) => interfaces.get(part) ?? null,
    domain: (part) => domains.get(part) ?? null,
    registered_domain: (part) => part || null,
    source: (part) => part || null,
    client_network: (part) => formatNetwork(Buffer.from(part, "hex")),
    server_network: (part) => formatNetwork(Buffer.from(part, "hex")),
  };
  return yield* mapKeys(parts, (part) => groupBy.map((key, index) => format[key](part[index] ?? "")));
}
