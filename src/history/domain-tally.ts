import { DOMAIN_SOURCES } from "../flow/naming.ts";
import type { DomainOrder, DomainTraffic, TrafficSums } from "./types.ts";

/** Domains kept at a time: some 20 MB. */
const MAX_DOMAINS = 50_000;
/** What stays when there are more. */
const KEPT_DOMAINS = MAX_DOMAINS / 2;

/** Traffic of one domain and source; null where there is none. */
export interface DomainPart extends TrafficSums {
  domain: string | null;
  source: string | null;
}

function noTraffic(): TrafficSums {
  return { bytesSent: 0, bytesReceived: 0, packetsSent: 0, packetsReceived: 0 };
}

function addTo(sums: TrafficSums, part: TrafficSums): void {
  sums.bytesSent += part.bytesSent;
  sums.bytesReceived += part.bytesReceived;
  sums.packetsSent += part.packetsSent;
  sums.packetsReceived += part.packetsReceived;
}

/** Adds up traffic by domain, in bounded memory. */
export class DomainTally {
  readonly unnamed = noTraffic();
  readonly other = noTraffic();
  pruned = false;
  private readonly domains = new Map<string, DomainTraffic>();

  constructor(
    private readonly order: DomainOrder,
    private readonly maxDomains = MAX_DOMAINS,
    private readonly keptDomains = KEPT_DOMAINS,
  ) {}

  add(part: DomainPart): void {
    const { domain } = part;
    if (domain === null) {
      addTo(this.unnamed, part);
      return;
    }
    const traffic = this.domains.get(domain) ?? { domain, ...noTraffic(), sources: {} };
    addTo(traffic, part);
    const source = DOMAIN_SOURCES.find((known) => known === part.source);
    if (source !== undefined) {
      traffic.sources[source] = (traffic.sources[source] ?? 0) + part.bytesSent + part.bytesReceived;
    }
    this.domains.set(domain, traffic);
    if (this.domains.size <= this.maxDomains) return;
    this.pruned = true;
    this.keep(this.keptDomains);
  }

  /** The `limit` largest, largest first; the rest goes to `other`. */
  finish(limit: number): DomainTraffic[] {
    this.keep(limit);
    return [...this.domains.values()];
  }

  /** Keeps the `count` largest, in their order, of equals the first by name. */
  private keep(count: number): void {
    const sorted = [...this.domains.values()].sort(
      (a, b) => this.size(b) - this.size(a) || (a.domain < b.domain ? -1 : 1),
    );
    this.domains.clear();
    for (const [index, traffic] of sorted.entries()) {
      if (index < count) this.domains.set(traffic.domain, traffic);
      else addTo(this.other, traffic);
    }
  }

  private size(of: TrafficSums): number {
    return this.order === "bytes" ? of.bytesSent + of.bytesReceived : of.packetsSent + of.packetsReceived;
  }
}
