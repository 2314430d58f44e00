import * as z from "zod";
import { LIVE_SORTS, type LiveQuery, TCP_STATES } from "../flow/types.ts";
import type { HistoryQuery } from "../history/types.ts";
import { canonicalNetwork } from "./addresses.ts";
import { badRequest } from "./errors.ts";
import { parseProtocol } from "../flow/protocol.ts";
import { parseTime, TIME_FORMS } from "./time.ts";

export const STREAM_TOPICS = ["stats", "connections"] as const;
export type StreamTopic = (typeof STREAM_TOPICS)[number];

const MAX_LIVE_LIMIT = 1_000_000;
const MAX_HISTORY_LIMIT = 1000;
const MAX_OFFSET = 10_000_000;

/** A parameter: text in, a value out, or a problem that quotes the text and says what is allowed. */
function parameter<T>(
  allowed: string,
  parse: (text: string) => T | undefined,
  schema: z.GlobalMeta & Record<string, unknown>,
) {
  return z
    .string()
    .transform((text, context) => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.issues.push({ code: "custom", message: `"${text}" is not ${allowed}`, input: text });
      return z.NEVER;
    })
    .meta(schema);
}

function integer(minimum: number, maximum: number, description: string) {
  return parameter(
    `a whole number from ${minimum} to ${maximum}`,
    (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
      return value >= minimum && value <= maximum ? value : undefined;
    },
    { type: "integer", minimum, maximum, description },
  );
}

function oneOf<const T extends readonly string[]>(values: T, description: string) {
  const find = (text: string): T[number] | undefined => values.find((value) => value === text);
  return parameter(`one of ${values.join(", ")}`, find, { type: "string", enum: [...values], description });
}

function matching(pattern: RegExp, allowed: string, description: string) {
  return parameter(allowed, (text) => (pattern.test(text) ? text : undefined), {
    type: "string",
    description,
  });
}

const address = (description: string) =>
  parameter("an IPv4 or IPv6 address, or a CIDR such as 10.0.0.0/8", canonicalNetwork, {
    type: "string",
    description: `${description}: an address or a CIDR`,
  });
const port = (description: string) => integer(0, 65535, description);
const protocol = parameter(
  "a protocol name (TCP, UDP, ICMP, ICMPv6, SCTP, ...) or number from 0 to 255",
  (text) => parseProtocol(text) ?? undefined,
  {
    type: "string",
    description: "IP protocol: IANA name in any case, or number",
    examples: ["tcp"],
  },
);
const networkInterface = matching(
  /^[^\s/]{1,15}$/,
  "an interface name (1 to 15 characters)",
  "Name of a network interface",
);
const time = (nowMs: number, description: string) =>
  parameter(`a time: ${TIME_FORMS}`, (text) => parseTime(text, nowMs), {
    type: "string",
    description: `${description}: ${TIME_FORMS}`,
  });

/** Parameters of `/api/live`. */
export const liveQuerySchema = z.strictObject({
  limit: integer(1, MAX_LIVE_LIMIT, "Connections to answer at most").default(50),
  sort: oneOf(LIVE_SORTS, "Order, largest first").default("packets"),
  ip: address("Either end").exactOptional(),
  port: port("Either end").exactOptional(),
  protocol: protocol.exactOptional(),
  interface: networkInterface.exactOptional(),
  state: oneOf(TCP_STATES, "TCP state; none for other protocols").exactOptional(),
});

/** Parameters of `/api/history`; relative times count from `nowMs`. */
export function historyQuerySchema(nowMs: number) {
  return z.strictObject({
    limit: integer(
      1,
      Number.MAX_SAFE_INTEGER,
      `Rows a page; above ${MAX_HISTORY_LIMIT} it is ${MAX_HISTORY_LIMIT}`,
    ).default(100),
    cursor: matching(
      /^[\w.~:+/=-]{1,512}$/,
      "a cursor: pass next_cursor as it was answered",
      "next_cursor of the page before",
    ).exactOptional(),
    offset: integer(0, MAX_OFFSET, "Rows to skip; slower than cursor").exactOptional(),
    since: time(nowMs, "Not before").exactOptional(),
    until: time(nowMs, "Not after").exactOptional(),
    start_time: time(nowMs, "The same as since").exactOptional(),
    end_time: time(nowMs, "The same as until").exactOptional(),
    ip: address("Either end").exactOptional(),
    src_ip: address("Source").exactOptional(),
    dst_ip: address("Destination").exactOptional(),
    port: port("Either end").exactOptional(),
    src_port: port("Source").exactOptional(),
    dst_port: port("Destination").exactOptional(),
    protocol: protocol.exactOptional(),
    interface: networkInterface.exactOptional(),
    direction: oneOf(
      ["ingress", "egress"],
      "Of the packet; of the client's packets in a window",
    ).exactOptional(),
    domain: matching(/^[^\s]{1,253}$/, "a domain name", "Domain name of the server").exactOptional(),
    row_type: oneOf(["raw", "aggregated"], "raw: single packets; aggregated: windows").exactOptional(),
  });
}

function parseTopics(text: string): readonly StreamTopic[] | undefined {
  const topics = text.split(",").map((part) => STREAM_TOPICS.find((topic) => topic === part.trim()));
  return topics.includes(undefined) ? undefined : topics.filter((topic) => topic !== undefined);
}

/** Parameters of `/api/stream`. */
export const streamQuerySchema = z.strictObject({
  topics: parameter(`a comma list of ${STREAM_TOPICS.join(", ")}`, parseTopics, {
    type: "string",
    description: `Comma list of ${STREAM_TOPICS.join(", ")}`,
  }).default(["stats"]),
});

/** Routes without parameters. */
export const emptyQuerySchema = z.strictObject({});

function problemsOf(error: z.ZodError, allowed: readonly string[]): string[] {
  const list = allowed.length === 0 ? "this route takes none" : `allowed are ${allowed.join(", ")}`;
  return error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `unknown parameter "${key}": ${list}`)
      : [`${issue.path.join(".")}: ${issue.message}`],
  );
}

/** The parameters of a query string (without `?`) as `schema` reads them; throws ApiError 400 naming every problem. */
export function parseQuery<S extends z.ZodObject>(schema: S, query: string): z.output<S> {
  const pairs = [...new URLSearchParams(query)];
  const seen = new Set<string>();
  const twice = new Set(pairs.map(([name]) => name).filter((name) => seen.size === seen.add(name).size));
  const parsed = schema.safeParse(Object.fromEntries(pairs));
  const problems = [...twice].map((name) => `${name}: given more than once`);
  if (!parsed.success) problems.push(...problemsOf(parsed.error, Object.keys(schema.shape)));
  if (!parsed.success || problems.length > 0) throw badRequest(problems);
  return parsed.data;
}

export function parseLiveQuery(query: string): LiveQuery {
  return parseQuery(liveQuerySchema, query);
}

export function parseStreamQuery(query: string): ReadonlySet<StreamTopic> {
  return new Set(parseQuery(streamQuerySchema, query).topics);
}

/** The history query of a query string; throws ApiError 400. `nowMs` is what relative times count from. */
export function parseHistoryQuery(query: string, nowMs: number): HistoryQuery {
  const given = parseQuery(historyQuerySchema(nowMs), query);
  const sinceMs = given.since ?? given.start_time;
  const untilMs = given.until ?? given.end_time;
  const problems = [
    given.since !== undefined && given.start_time !== undefined
      ? "since and start_time are the same: give one"
      : "",
    given.until !== undefined && given.end_time !== undefined
      ? "until and end_time are the same: give one"
      : "",
    given.cursor !== undefined && given.offset !== undefined ? "cursor and offset: give one" : "",
    sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs ? "since is later than until" : "",
  ].filter((problem) => problem !== "");
  if (problems.length > 0) throw badRequest(problems);
  return {
    limit: Math.min(given.limit, MAX_HISTORY_LIMIT),
    ...present({
      cursor: given.cursor,
      offset: given.offset,
      sinceMs,
      untilMs,
      ip: given.ip,
      srcIp: given.src_ip,
      dstIp: given.dst_ip,
      port: given.port,
      srcPort: given.src_port,
      dstPort: given.dst_port,
      protocol: given.protocol,
      interface: given.interface,
      direction: given.direction,
      domain: given.domain?.toLowerCase(),
      kind: given.row_type === undefined ? undefined : given.row_type === "raw" ? "packet" : "window",
    }),
  };
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** `fields` without those that are undefined. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}
