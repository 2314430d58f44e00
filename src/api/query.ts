import * as z from "zod";
import { LIVE_ORDERS, LIVE_SORTS, type LiveQuery, TCP_STATES } from "../flow/types.ts";
import { filter } from "./filter-parameter.ts";
import {
  address,
  domainPattern,
  integer,
  listOf,
  matching,
  networkInterface,
  oneOf,
  port,
  protocol,
} from "./parameters.ts";
import { parseQuery, present } from "./query-string.ts";

export const STREAM_TOPICS = ["stats", "connections"] as const;
export type StreamTopic = (typeof STREAM_TOPICS)[number];

const MAX_LIVE_LIMIT = 1_000_000;

/** Parameters of `/api/live`. */
export const liveQuerySchema = z.strictObject({
  limit: integer(1, MAX_LIVE_LIMIT, "Connections to answer at most").default(50),
  sort: oneOf(LIVE_SORTS, "What they are ordered by").default("packets"),
  order: oneOf(LIVE_ORDERS, "desc: largest, or last by the alphabet, first").default("desc"),
  offset: integer(0, MAX_LIVE_LIMIT, "Connections to skip").default(0),
  q: filter.exactOptional(),
  ip: address("Either end").exactOptional(),
  port: port("Either end").exactOptional(),
  protocol: protocol.exactOptional(),
  interface: networkInterface.exactOptional(),
  state: oneOf(TCP_STATES, "TCP state; none for other protocols").exactOptional(),
  domain: domainPattern("Domain name of the server").exactOptional(),
});

/** Parameters of `/api/stream`. */
export const streamQuerySchema = z.strictObject({
  topics: listOf(STREAM_TOPICS, "What to be told").default(["stats"]),
});

/** Routes without parameters. */
export const emptyQuerySchema = z.strictObject({});

/** The live connections of a query string; throws ApiError 400. */
export function parseLiveQuery(query: string): LiveQuery {
  const { q, ...given } = parseQuery(liveQuerySchema, query);
  return { ...given, ...present({ filter: q ?? undefined }) };
}

export function parseStreamQuery(query: string): ReadonlySet<StreamTopic> {
  return new Set(parseQuery(streamQuerySchema, query).topics);
}

export const SUGGEST_FIELDS = ["domain", "address", "port", "interface", "protocol", "alpn", "ja4"] as const;
export type SuggestField = (typeof SUGGEST_FIELDS)[number];

/** Parameters of `/api/suggest`. */
export const suggestQuerySchema = z.strictObject({
  field: oneOf(SUGGEST_FIELDS, "What of the live connections"),
  prefix: matching(/^.{0,255}$/s, "255 characters at most", "How a value begins, in any case").default(""),
  limit: integer(1, 100, "Values to answer at most").default(20),
});
