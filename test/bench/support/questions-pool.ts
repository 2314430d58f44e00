/** Who talks to whom in the month that questions are asked of: some hundred thousand conversations, some of them often. */
import { type DomainSource, type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import type { Identity } from "../../../src/history/types.ts";
import type { Random } from "./day.ts";

export const CONVERSATIONS = 100_000;
/** In the host's 10.20.0.0/22 and 2001:db8:20::/64. */
export const CLIENTS = 200;
const SERVERS = 20_000;
const DOMAINS = 2000;
const RARE_DOMAINS = 15_000;
/** One name in so many is a rare one. */
const RARE_EVERY = 8;
/** Names share so many registered domains. */
const SITES = 500;
const HOSTS = ["www", "api", "cdn", "img", "static", "login", "media", "m"] as const;
/** Of the most frequent conversations, one in DNS_EVERY is with a resolver. */
const DNS_AMONG = 4000;
const DNS_EVERY = 10;
const IPV6_EVERY = 4;
const FINGERPRINTS = 30;
const FIRST_CLIENT_PORT = 32_768;
const TCP = 6;
const UDP = 17;
const HTTPS = 443;
const PORTS = [22, 25, 123, 993, 3478, 5222, 5432, 6379, 8080, 8443, 9092, 27_017] as const;

/** How conversations of a kind go. */
export interface Service {
  source: DomainSource | null;
  protocol: number;
  /** null: one of PORTS. */
  port: number | null;
  /** Windows that a connection has packets in, on average. */
  windows: number;
  direction: "ingress" | "egress";
}

const egress = { direction: "egress" } as const;
const WEB: Service = { source: "sni", protocol: TCP, port: HTTPS, windows: 5, ...egress };
const QUIC: Service = { source: "quic", protocol: UDP, port: HTTPS, windows: 4, ...egress };
const HTTP: Service = { source: "http", protocol: TCP, port: 80, windows: 2, ...egress };
const KNOWN_BY_DNS: Service = { source: "dns", protocol: TCP, port: null, windows: 8, ...egress };
const UNNAMED_WEB: Service = { source: null, protocol: TCP, port: HTTPS, windows: 5, ...egress };
const LONG: Service = { source: null, protocol: TCP, port: null, windows: 60, ...egress };
const INBOUND: Service = { source: null, protocol: TCP, port: HTTPS, windows: 3, direction: "ingress" };
const DNS: Service = { source: null, protocol: UDP, port: 53, windows: 1, ...egress };
/** In turn; most is the web. */
const SERVICES = [
  ...Array.from({ length: 12 }, () => WEB),
  ...Array.from({ length: 3 }, () => QUIC),
  HTTP,
  KNOWN_BY_DNS,
  UNNAMED_WEB,
  LONG,
  INBOUND,
] as const;

/** Draws numbers as often as Zipf's law has it: the second half as often as the first, the third a third. */
export class Zipf {
  private readonly upTo: Float64Array;

  constructor(count: number) {
    this.upTo = new Float64Array(count);
    let sum = 0;
    for (let index = 0; index < count; index++) {
      sum += 1 / (index + 1);
      this.upTo[index] = sum;
    }
  }

  /** From 0 to `count` - 1. */
  draw(random: Random): number {
    const { upTo } = this;
    const wanted = (random.next(2 ** 32) / 2 ** 32) * (upTo.at(-1) ?? 0);
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Registered domain number `index`: `*.` and it finds the names of one site. */
export function siteName(index: number): string {
  return `site${index}.${index % 3 === 0 ? "example" : "test"}`;
}

function domainName(index: number): string {
  return `${HOSTS[Math.floor(index / SITES) % HOSTS.length] ?? "www"}.${siteName(index % SITES)}`;
}

function rareName(index: number): string {
  return `${((index * 2_654_435_761) >>> 0).toString(36)}.tail${index % 3000}.example`;
}

function address(isV6: boolean, network: readonly number[], v6Network: number, number: number): Uint8Array {
  const low = [number >> 8, number & 255];
  if (!isV6) return Uint8Array.of(...network, ...low);
  return Uint8Array.of(
    0x20,
    0x01,
    0x0d,
    0xb8,
    v6Network >> 8,
    v6Network & 255,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    ...low,
  );
}

// Spread over the /22, 64 to each /24.
function clientAddress(isV6: boolean, client: number): Uint8Array {
  return address(isV6, [10, 20], 0x20, ((client >> 6) << 8) | (client & 63));
}

function serverAddress(isV6: boolean, server: number): Uint8Array {
  return address(isV6, [198, 18], 0xf000, server);
}

function namingOf(source: DomainSource, domain: string, client: number): Naming {
  const naming = { ...NO_NAMING, domain, domainSource: source };
  if (source !== "sni" && source !== "quic") return naming;
  const fingerprint = ((client % FINGERPRINTS) * 0x9e3779b1).toString(16).padStart(12, "0").slice(0, 12);
  return {
    ...naming,
    alpn: source === "quic" ? ["h3"] : ["h2", "http/1.1"],
    tlsVersion: "TLS 1.3",
    ja4: `${source === "quic" ? "q" : "t"}13d1516h2_${fingerprint}_02713d6af862`,
  };
}

export interface Conversation {
  identity: Identity;
  service: Service;
}

/** Makes the conversations, the most frequent first. */
export class Pool {
  private readonly domains = new Zipf(DOMAINS);

  constructor(private readonly random: Random) {}

  conversations(): Conversation[] {
    return Array.from({ length: CONVERSATIONS }, (_, index) => this.conversation(index));
  }

  private conversation(index: number): Conversation {
    const { random } = this;
    const isDns = index < DNS_AMONG && index % DNS_EVERY === 0;
    const service = isDns ? DNS : (SERVICES[random.next(SERVICES.length)] ?? WEB);
    // Some clients have far more conversations than others.
    const client = Math.floor((random.next(CLIENTS) * random.next(CLIENTS)) / CLIENTS);
    const isV6 = index % IPV6_EVERY === IPV6_EVERY - 1;
    const { server, naming } = isDns
      ? { server: index % 2, naming: NO_NAMING }
      : this.served(service.source, client);
    const ends = [clientAddress(isV6, client), serverAddress(isV6, server)] as const;
    const [inside, outside] = ends;
    const isInbound = service.direction === "ingress";
    const identity = {
      client: isInbound ? outside : inside,
      server: isInbound ? inside : outside,
      clientPort: FIRST_CLIENT_PORT,
      serverPort: service.port ?? PORTS[random.next(PORTS.length)] ?? HTTPS,
      protocol: service.protocol,
      interface: random.next(10) === 0 ? "wg0" : "eth0",
      naming,
    };
    return { identity, service };
  }

  /** A name and one of the few servers that it has, or any server. */
  private served(source: DomainSource | null, client: number): { server: number; naming: Naming } {
    const { random } = this;
    if (source === null) return { server: random.next(SERVERS), naming: NO_NAMING };
    const isRare = random.next(RARE_EVERY) === 0;
    const number = isRare ? random.next(RARE_DOMAINS) : this.domains.draw(random);
    const replica = isRare ? 0 : random.next(1 + (number % 4));
    const server = (number * 7 + replica * 4999 + (isRare ? 3 : 0)) % SERVERS;
    return { server, naming: namingOf(source, isRare ? rareName(number) : domainName(number), client) };
  }
}
