import { type DomainSource, isMoreTrusted, type Naming, NO_NAMING } from "../flow/naming.ts";

/** Different namings shared at a time. */
const MAX_SHARED = 2048;

/** Part of a naming; what is absent stays as it was. */
export type NamingUpdate = { -readonly [K in keyof Naming]?: Naming[K] };

/** `known` with `update`: a domain never gives way to one of a less trusted source, all else does to what is newer. */
export function mergeNaming(known: Naming, update: NamingUpdate): Naming {
  const { domain = null, domainSource = null, ...rest } = update;
  const { domainSource: source } = known;
  if (domain === null || domainSource === null) return { ...known, ...rest };
  const isWorse = source !== null && isMoreTrusted(source, domainSource);
  return { ...known, ...rest, ...(isWorse ? {} : { domain, domainSource }) };
}

/** What is known of each connection, by the number its owner gives it. Equal namings are one object. */
export class ConnectionNames {
  private readonly namings: (Naming | undefined)[] = [];
  private readonly shared = new Map<string, Naming>();
  /** Connections given a name, and better ones, since start. */
  resolved = 0;

  get(connection: number): Naming {
    return this.namings[connection] ?? NO_NAMING;
  }

  /** Adds to what is known of a connection. */
  learn(connection: number, update: NamingUpdate): void {
    const known = this.get(connection);
    const merged = mergeNaming(known, update);
    if (merged.domain !== known.domain) this.resolved++;
    this.namings[connection] = this.share(merged);
  }

  /** Whether a name of `source` would change anything. */
  wants(connection: number, source: DomainSource): boolean {
    return isMoreTrusted(source, this.get(connection).domainSource);
  }

  /** What is known of one is that of another from now on. */
  move(connection: number, to: number): void {
    this.namings[to] = this.namings[connection];
    this.forget(connection);
  }

  forget(connection: number): void {
    this.namings[connection] = undefined;
  }

  private share(naming: Naming): Naming {
    const key = JSON.stringify(naming);
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    // Connections keep what they have; the next ones share anew.
    if (this.shared.size >= MAX_SHARED) this.shared.clear();
    this.shared.set(key, naming);
    return naming;
  }
}
