/** Where a name came from, most trusted first: the name asked for in a handshake beats one that shares an address. */
export const DOMAIN_SOURCES = ["sni", "quic", "http", "dns", "ptr"] as const;
export type DomainSource = (typeof DOMAIN_SOURCES)[number];

/** What inspection learned of a connection. Shared between connections and never changed. */
export interface Naming {
  /** Lower case, without a character that is not visible (see `names.ts`): into HTML it goes as text like any other. */
  readonly domain: string | null;
  readonly domainSource: DomainSource | null;
  /** Application protocols that the client offers (RFC 7301), in its order. */
  readonly alpn: readonly string[];
  /** Chosen by the server where it was seen, else the highest that the client offers: `TLS 1.3`. */
  readonly tlsVersion: string | null;
  /** Fingerprint of the client's TLS or QUIC hello (FoxIO JA4). */
  readonly ja4: string | null;
  /** Encrypted Client Hello was offered: `domain` is the outer name then, the provider's, unless the client only pretends. */
  readonly ech: boolean;
}

export const NO_NAMING: Naming = {
  domain: null,
  domainSource: null,
  alpn: [],
  tlsVersion: null,
  ja4: null,
  ech: false,
};

/** Whether a name of source `a` takes the place of one of source `b`. */
export function isMoreTrusted(a: DomainSource, b: DomainSource | null): boolean {
  return b === null || DOMAIN_SOURCES.indexOf(a) < DOMAIN_SOURCES.indexOf(b);
}
