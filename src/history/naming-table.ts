import type { Statement } from "bun:sqlite";
import { DOMAIN_SOURCES, type Naming, NO_NAMING } from "../flow/naming.ts";
import type { SqlConnection } from "./connection.ts";
import type { HistoryItem } from "./types.ts";

type Detail = [source: string, alpn: string, tlsVersion: string, ja4: string, ech: number];
interface Id {
  id: number;
}

/** Id of a domain or a detail where there is none. */
export const NOTHING = 0;
const NOTHING_KNOWN = { domainId: NOTHING, detailId: NOTHING };
const NO_DETAIL: Detail = ["", "[]", "", "", 0];

/** `domain` from its last character to its first, as SQL counts characters: the key of a domain. */
export function domainKey(domain: string): string {
  return Array.from(domain).toReversed().join("");
}

function detailOf({ domainSource, alpn, tlsVersion, ja4, ech }: Naming): Detail {
  return [domainSource ?? "", JSON.stringify(alpn), tlsVersion ?? "", ja4 ?? "", ech ? 1 : 0];
}

/**
 * Interns the two parts of a naming, its domain and the rest. Ids are looked up each time, once a connection:
 * retention deletes those that nothing uses, and SQLite gives them to others.
 */
export class NamingTable {
  private readonly findDomain: Statement<Id, [string]>;
  private readonly addDomain: Statement<Id, [string, string]>;
  private readonly findDetail: Statement<Id, Detail>;
  private readonly addDetail: Statement<Id, Detail>;

  constructor(db: SqlConnection) {
    this.findDomain = db.prepare("SELECT id FROM domains WHERE reversed = ?");
    this.addDomain = db.prepare("INSERT INTO domains(name, reversed) VALUES(?, ?) RETURNING id");
    this.findDetail = db.prepare(
      "SELECT id FROM details WHERE source = ? AND alpn = ? AND tls_version = ? AND ja4 = ? AND ech = ?",
    );
    this.addDetail = db.prepare(
      "INSERT INTO details(source, alpn, tls_version, ja4, ech) VALUES(?, ?, ?, ?, ?) RETURNING id",
    );
  }

  /** Ids of the domain and the detail, which are stored on first use; 0 for what there is not. */
  intern(naming: Naming): { domainId: number; detailId: number } {
    if (naming === NO_NAMING) return NOTHING_KNOWN;
    return { domainId: this.domainId(naming.domain), detailId: this.detailId(detailOf(naming)) };
  }

  private domainId(domain: string | null): number {
    if (domain === null) return NOTHING;
    const key = domainKey(domain);
    return (this.findDomain.get(key) ?? this.addDomain.get(domain, key))?.id ?? NOTHING;
  }

  private detailId(detail: Detail): number {
    if (detail.every((part, index) => part === NO_DETAIL[index])) return NOTHING;
    return (this.findDetail.get(...detail) ?? this.addDetail.get(...detail))?.id ?? NOTHING;
  }
}

/** What NAMING_SQL reads; null for a conversation without a detail. */
export interface StoredNaming {
  domain: string | null;
  source: string | null;
  alpn: string | null;
  tls_version: string | null;
  ja4: string | null;
  ech: number | null;
}

/** The columns of a StoredNaming of conversation `c`, whose detail is `t`. */
export const NAMING_SQL = `(SELECT name FROM domains WHERE id = c.domain_id) AS domain,
  t.source, t.alpn, t.tls_version, t.ja4, t.ech`;
/** Joins the detail of conversation `c` as `t` and its domain as `n`. */
export const DETAIL_JOIN =
  "LEFT JOIN details AS t ON t.id = c.detail_id LEFT JOIN domains AS n ON n.id = c.domain_id";

type NamingFields = Pick<HistoryItem, "domain" | "domain_source" | "alpn" | "tls_version" | "ja4" | "ech">;

/** What is known of a conversation by name, as the API shows it: absent where nothing is. */
export function formatNaming(stored: StoredNaming): NamingFields {
  const { domain, alpn, tls_version, ja4, ech } = stored;
  const source = DOMAIN_SOURCES.find((known) => known === stored.source);
  return {
    ...(domain === null ? {} : { domain }),
    ...(source === undefined ? {} : { domain_source: source }),
    ...(alpn === null || alpn === NO_DETAIL[1] ? {} : { alpn: JSON.parse(alpn) as string[] }),
    ...(tls_version ? { tls_version } : {}),
    ...(ja4 ? { ja4 } : {}),
    ...(ech === 1 ? { ech: true as const } : {}),
  };
}
