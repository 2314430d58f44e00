import * as z from "zod";
import { LIVE_SORTS, type LiveQuery, TCP_STATES } from "../flow/types.ts";
import type { HistoryQuery } from "../history/types.ts";
import { badRequest } from "./errors.ts";
import {
  address,
  cursor,
  domainPattern,
  integer,
  networkInterface,
  oneOf,
  parameter,
  port,
  protocol,
  time,
} from "./parameters.ts";
import { parseQuery, present } from "./query-string.ts";

export const STREAM_TOPICS = ["stats", "connections"] as const;
export type StreamTopic = (typeof STREAM_TOPICS)[number];

const MAX_LIVE_LIMIT = 1_000_000;
const MAX_HISTORY_LIMIT = 1000;
const MAX_OFFSET = 10_000_000;

/** Parameters of `/api/live`. */
export const liveQuerySchema = z.strictObject({
  limit: integer(1, MAX_LIVE_LIMIT, "Connections to answer at most").default(50),
  sort: oneOf(LIVE_SORTS, "Order, largest first").default("packets"),
  ip: address("Either end").exactOptional(),
  port: port("Either end").exactOptional(),
  protocol: protocol.exactOptional(),
  interface: networkInterface.exactOptional(),
  state: oneOf(TCP_STATES, "TCP state; none for other protocols").exactOptional(),
  domain: domainPattern("Domain name of the server").exactOptional(),
});

/** Parameters of `/api/history`; relative times count from `nowMs`. */
export function historyQuerySchema(nowMs: number) {
  return z.strictObject({
    limit: integer(
      1,
      Number.MAX_SAFE_INTEGER,
      `Rows a page; above ${MAX_HISTORY_LIMIT} it is ${MAX_HISTORY_LIMIT}`,
    ).default(100),
    cursor: cursor("next_cursor of the page before").exactOptional(),
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
    domain: domainPattern("Domain name of the server").exactOptional(),
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
      domain: given.domain,
      kind: given.row_type === undefined ? undefined : given.row_type === "raw" ? "packet" : "window",
    }),
  };
}
