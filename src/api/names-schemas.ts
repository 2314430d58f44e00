import * as z from "zod";
import { DOMAIN_SOURCES } from "../flow/naming.ts";
import { answerFields } from "./question-schemas.ts";

const count = z.int().nonnegative();
const timestamp = z.iso.datetime();
const domainSource = z
  .enum(DOMAIN_SOURCES)
  .describe(
    "sni, quic, http: asked for in the handshake; dns: a lookup had the address; ptr: reverse lookup",
  );
const alpn = z.array(z.string()).describe("Application protocols the client offers, in its order");
const tlsVersion = z.string().describe("Chosen by the server if seen, else the highest offered: TLS 1.3");
const ja4 = z.string().describe("JA4 fingerprint of the client's hello");
const ech = z.boolean().describe("Encrypted Client Hello was offered: domain may be the provider's");

/** What is known of a live connection by name. */
export const namingFields = {
  domain: z.string().nullable().describe("Name of the server; null while unknown"),
  domain_source: domainSource.nullable(),
  alpn,
  tls_version: tlsVersion.nullable(),
  ja4: ja4.nullable(),
  ech,
};

/** The same of a row of history: only what is known. */
export const storedNamingFields = {
  domain: z.string().optional(),
  domain_source: domainSource.optional(),
  alpn: alpn.optional(),
  tls_version: tlsVersion.optional(),
  ja4: ja4.optional(),
  ech: ech.optional(),
};

const sums = {
  bytes: count.describe("Both ways"),
  bytes_sent: count.describe("By the clients"),
  bytes_received: count.describe("By the clients"),
  packets: count,
  packets_sent: count,
  packets_received: count,
};

export const domainsSchema = z.strictObject({
  domains: z
    .array(
      z.strictObject({
        domain: z.string(),
        ...sums,
        sources: z
          .strictObject(Object.fromEntries(DOMAIN_SOURCES.map((source) => [source, count.optional()])))
          .describe("Bytes by where the domain came from"),
      }),
    )
    .describe("Largest first"),
  other: z.strictObject(sums).describe("Of domains that are not listed"),
  unnamed: z.strictObject(sums).describe("Of connections without a domain"),
  rows: count.describe("Rows of history that were added up"),
  pruned: z
    .boolean()
    .describe(
      "More domains than fit in memory: the smallest went to other, and may be listed with too little",
    ),
  ...answerFields,
});

export const dnsSchema = z.strictObject({
  enabled: z.boolean().describe("false without --deep-inspect: nothing is looked into, the list is empty"),
  lookups: z
    .array(
      z.strictObject({
        time: timestamp.describe("Of the question, or of the answer where no question was seen"),
        interface: z.string(),
        transport: z.enum(["udp", "tcp", "mdns", "llmnr"]),
        client: z.string(),
        client_port: count,
        server: z.string(),
        server_port: count,
        name: z.string(),
        type: z.string().describe("A, HTTPS, or TYPE65280 for a type without a name"),
        rcode: z.string().nullable().describe("NOERROR, NXDOMAIN, ...; null when nobody answered"),
        latency_ms: z.number().nonnegative().nullable(),
        answers: z.array(z.string()),
        truncated: z.boolean().describe("The answer was cut, by the server or in the capture"),
      }),
    )
    .describe("Newest first"),
});
