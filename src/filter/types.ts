import type { DomainSource } from "../flow/naming.ts";
import type { ConnectionState, Direction } from "../flow/types.ts";

/** Which end of a connection a test is about. `src` and `dst`: of a packet; of a connection or a window its client and its server. */
export const ENDS = ["any", "src", "dst", "client", "server"] as const;
export type End = (typeof ENDS)[number];

export const NUMBER_FIELDS = ["bytes", "packets", "rtt", "retrans"] as const;
/** `bytes` and `packets` both ways; `rtt` in nanoseconds; `retrans` both ways. */
export type NumberField = (typeof NUMBER_FIELDS)[number];

export const COMPARISONS = ["=", "!=", "<", "<=", ">", ">="] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** One test of a filter. */
export type FilterTest =
  /** Addresses from `first` to `last`, both inclusive, 4 or 16 bytes each. */
  | { kind: "address"; end: End; first: Uint8Array; last: Uint8Array }
  /** Ports from `low` to `high`, both inclusive. */
  | { kind: "port"; end: End; low: number; high: number }
  /** IP protocol number. */
  | { kind: "protocol"; protocol: number }
  /** Name of an interface, `*` and `?` as in globs: of one of those that saw the connection. */
  | { kind: "interface"; pattern: string }
  | { kind: "direction"; direction: Direction }
  /** A canonical domain pattern as flow/domain-pattern.ts reads it; null: there is no name. */
  | { kind: "domain"; pattern: string | null }
  /** null: the name has no source, or there is none. */
  | { kind: "source"; source: DomainSource | null }
  /** One of the protocols offered, in any case. */
  | { kind: "alpn"; protocol: string }
  /** Whole fingerprint, or its beginning where it ends in `*`. */
  | { kind: "ja4"; pattern: string }
  | { kind: "state"; state: ConnectionState }
  | { kind: "number"; field: NumberField; comparison: Comparison; value: number };

/** A filter as a tree. `and` and `or` have two terms at least. */
export type FilterExpression =
  | { kind: "and" | "or"; terms: readonly FilterExpression[] }
  | { kind: "not"; term: FilterExpression }
  /** `at`: where it stands in the text, in UTF-16 units, `length` of them. */
  | { kind: "test"; test: FilterTest; at: number; length: number };

/** What a filter is held against: a live connection, or a row of history. Read lazily: an object may compute them. */
export interface FilterSubject {
  /** 4 or 16 bytes. */
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly protocol: number;
  /** The interfaces that saw it, as a path (see flow/path.ts). */
  readonly interface: string;
  readonly direction: Direction;
  readonly domain: string | null;
  readonly domainSource: DomainSource | null;
  readonly alpn: readonly string[];
  readonly ja4: string | null;
  readonly state: ConnectionState;
  readonly bytes: number;
  readonly packets: number;
  readonly rttNs: number | null;
  readonly retransmits: number;
  /** A packet of the server's: its source is the server. */
  readonly isReversed: boolean;
}
