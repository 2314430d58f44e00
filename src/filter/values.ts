import { didYouMean } from "../config/suggest.ts";
import { canonicalDomainPattern } from "../flow/domain-pattern.ts";
import { DOMAIN_SOURCES } from "../flow/naming.ts";
import { networkRange } from "../flow/network.ts";
import { parseProtocol, protocolName } from "../flow/protocol.ts";
import { TCP_STATES } from "../flow/types.ts";
import { shown } from "./errors.ts";
import { parseDuration, parseSize } from "./numbers.ts";
import { SERVICES } from "./services.ts";
import type { End, FilterTest } from "./types.ts";
import type { Field } from "./words.ts";

/** A value as it stands in the text, without its quotes. */
export interface Value {
  text: string;
  /** In quotes it is never a word of the language, such as `none`. */
  isQuoted: boolean;
}

/** A test without where it stands, or why there is none: a sentence on the value. */
export type Reading = { test: FilterTest; isNegated?: boolean } | { problem: string };

export const MAX_PORT = 65_535;
/** More than an interface's name, a protocol of ALPN or a fingerprint has. */
const MAX_VALUE = 255;
const MAX_PROTOCOL = 255;

const DIRECTIONS = ["ingress", "egress"] as const;
const DIRECTION_WORDS: ReadonlyMap<string, (typeof DIRECTIONS)[number]> = new Map([
  ["ingress", "ingress"],
  ["in", "ingress"],
  ["inbound", "ingress"],
  ["egress", "egress"],
  ["out", "egress"],
  ["outbound", "egress"],
]);

/** Names of protocols as a filter has them. */
export const PROTOCOL_WORDS: readonly string[] = [
  ...Array.from({ length: MAX_PROTOCOL + 1 }, (_, protocol) => protocolName(protocol).toLowerCase()).filter(
    (name) => !name.startsWith("ip("),
  ),
  "icmp6",
];
export const SOURCE_WORDS: readonly string[] = [...DOMAIN_SOURCES, "none"];
export const DIRECTION_NAMES: readonly string[] = DIRECTIONS;

/** What a value of each field is, for messages. */
export const EXPECTED_VALUE: Readonly<Record<Field, string>> = {
  address: "an address or network, such as 192.0.2.7 or 10.0.0.0/8",
  port: "a port, such as 443, 8000-8100 or https",
  proto: "a protocol, such as tcp or 47",
  iface: "an interface, such as eth0 or veth*",
  dir: "ingress or egress",
  domain: "a domain name, such as example.com or *.example.com, or none",
  source: `one of ${SOURCE_WORDS.join(", ")}`,
  alpn: "a protocol of ALPN, such as h2",
  ja4: "a JA4 fingerprint or its beginning and *",
  state: `one of ${TCP_STATES.join(", ")}`,
  bytes: "a number of bytes, such as 1500, 10k or 1.5M",
  packets: "a number of packets, such as 100 or 10k",
  rtt: "a duration with its unit, such as 20ms, 1.5s or 300us",
  retrans: "a number of segments, such as 0 or 1k",
};

function unlike(field: Field, { text }: Value, known: readonly string[] = []): Reading {
  return { problem: `${shown(text)} is not ${EXPECTED_VALUE[field]}${didYouMean(text, known)}` };
}

/** Whether a text looks like a name of hosts, not like a broken address. */
export function looksLikeName(text: string): boolean {
  return /[a-z]/i.test(text) && !text.includes(":") && canonicalDomainPattern(text) !== undefined;
}

function readAddress(value: Value, end: End): Reading {
  const range = networkRange(value.text);
  if (range !== null) return { test: { kind: "address", end, ...range } };
  if (!looksLikeName(value.text)) return unlike("address", value);
  const name = shown(value.text).slice(1, -1);
  return {
    problem: `${shown(value.text)} is not an address or network; for a name write: domain ${name}`,
  };
}

function readPort(value: Value, end: End): Reading {
  const { text } = value;
  const [, low, high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const service = SERVICES[text.toLowerCase()];
  if (low === undefined) {
    if (service === undefined || !Object.hasOwn(SERVICES, text.toLowerCase())) {
      return unlike("port", value, Object.keys(SERVICES));
    }
    return { test: { kind: "port", end, low: service, high: service } };
  }
  const test = { kind: "port", end, low: Number(low), high: Number(high) } as const;
  if (test.high > MAX_PORT) return { problem: `${shown(text)}: the highest port is ${MAX_PORT}` };
  if (test.low > test.high) return { problem: `${shown(text)}: write the lower port first` };
  return { test };
}

function readProtocol(value: Value): Reading {
  const protocol = value.text.toLowerCase() === "icmp6" ? parseProtocol("icmpv6") : parseProtocol(value.text);
  if (protocol !== null) return { test: { kind: "protocol", protocol } };
  return unlike("proto", value, PROTOCOL_WORDS);
}

function readDomain(value: Value): Reading {
  const none = { test: { kind: "domain", pattern: null } } as const;
  if (!value.isQuoted && value.text.toLowerCase() === "none") return none;
  if (!value.isQuoted && value.text === "*") return { ...none, isNegated: true };
  const pattern = canonicalDomainPattern(value.text);
  return pattern === undefined ? unlike("domain", value) : { test: { kind: "domain", pattern } };
}

function readSource(value: Value): Reading {
  const word = value.text.toLowerCase();
  if (word === "none") return { test: { kind: "source", source: null } };
  const source = DOMAIN_SOURCES.find((known) => known === word);
  return source === undefined ? unlike("source", value, SOURCE_WORDS) : { test: { kind: "source", source } };
}

function readState(value: Value): Reading {
  const word = value.text.toLowerCase();
  const state = TCP_STATES.find((known) => known === word);
  return state === undefined ? unlike("state", value, TCP_STATES) : { test: { kind: "state", state } };
}

function readDirection(value: Value): Reading {
  const direction = DIRECTION_WORDS.get(value.text.toLowerCase());
  if (direction !== undefined) return { test: { kind: "direction", direction } };
  return unlike("dir", value, DIRECTIONS);
}

/** The number of a value of `bytes`, `packets`, `rtt` or `retrans`; null for anything else. */
export function readNumber(field: Field, text: string): number | null {
  return field === "rtt" ? parseDuration(text) : parseSize(text);
}

/** What `field` of `end` being `value` means. */
export function readValue(field: Field, end: End, value: Value): Reading {
  const { text } = value;
  if (text === "" || (field !== "domain" && text.length > MAX_VALUE)) return unlike(field, value);
  switch (field) {
    case "address":
      return readAddress(value, end);
    case "port":
      return readPort(value, end);
    case "proto":
      return readProtocol(value);
    case "iface":
      return { test: { kind: "interface", pattern: text.replace(/\*+/g, "*") } };
    case "dir":
      return readDirection(value);
    case "domain":
      return readDomain(value);
    case "source":
      return readSource(value);
    case "alpn":
      return { test: { kind: "alpn", protocol: text } };
    case "ja4":
      if (!/^\w*\*?$/.test(text)) return unlike(field, value);
      return { test: { kind: "ja4", pattern: text } };
    case "state":
      return readState(value);
    case "bytes":
    case "packets":
    case "rtt":
    case "retrans": {
      const number = readNumber(field, text);
      if (number === null) return unlike(field, value);
      return { test: { kind: "number", field, comparison: "=", value: number } };
    }
  }
}
