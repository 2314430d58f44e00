import * as z from "zod";
import { historyQuerySchema } from "./history-query.ts";
import { dnsQuerySchema, domainsQuerySchema } from "./names-query.ts";
import { dnsSchema, domainsSchema } from "./names-schemas.ts";
import { EXAMPLES } from "./openapi-examples.ts";
import { sumsAnswerSchema, timeseriesSchema } from "./question-schemas.ts";
import { emptyQuerySchema, liveQuerySchema, streamQuerySchema, suggestQuerySchema } from "./query.ts";
import type { Route } from "./routes.ts";
import {
  healthSchema,
  historyPageSchema,
  indexSchema,
  liveSchema,
  statsSchema,
  storySchema,
  streamMessageSchema,
  suggestSchema,
} from "./schemas.ts";
import { timeseriesQuerySchema, topQuerySchema } from "./sums-query.ts";

/** What the document says of a route besides its path. */
export interface RouteDoc {
  summary: string;
  description?: string;
  query: z.ZodObject;
  /** Parameters in the path. */
  path?: z.ZodObject;
  /** Body of 200; text for what is not JSON. */
  answer: z.ZodType;
  example?: object;
  /** Other media types of 200, by what they hold. */
  media?: Readonly<Record<string, string>>;
  errors: Readonly<Record<number, string>>;
}

const COMMON_ERRORS = {
  400: "A parameter is unknown, given twice or has a wrong value; all problems are named",
  401: "The API token is missing or wrong",
  403: "The peer's address, the Host header or the page's origin is not allowed",
  405: "Only GET and HEAD are allowed",
  411: "A chunked body was sent",
  413: "A body over 64 KiB was sent",
  414: "The URL is over 8 KiB or its query over 4 KiB",
  500: "The agent failed; its log says why",
  503: "Too many requests at once",
};

const QUESTION_ERRORS = {
  ...COMMON_ERRORS,
  400: "A parameter is unknown, given twice or has a wrong value; `position` tells where in `q`",
  503:
    "History could not be opened or cannot be read, too many requests, or `query_limit`: the question takes too long, " +
    "make the time range shorter or the filter narrower",
};

export const DOCS: Readonly<Record<Route, RouteDoc>> = {
  "/": {
    summary: "List of routes, and the page for browsers",
    description: "A client that prefers text/html gets the page, without a token.",
    query: emptyQuerySchema,
    answer: indexSchema,
    media: { "text/html": "The page" },
    errors: COMMON_ERRORS,
  },
  "/api/health": {
    summary: "Health",
    description:
      "`degraded` with reasons while something is being lost; the HTTP status is 200 in both cases.",
    query: emptyQuerySchema,
    answer: healthSchema,
    errors: COMMON_ERRORS,
  },
  "/api/stats": {
    summary: "Totals, rates, coverage and every loss counter",
    query: emptyQuerySchema,
    answer: statsSchema,
    errors: COMMON_ERRORS,
  },
  "/api/live": {
    summary: "Connections now in the table",
    query: liveQuerySchema,
    answer: liveSchema,
    errors: COMMON_ERRORS,
  },
  "/api/history": {
    summary: "Past traffic: rows newest first, or sums",
    description:
      "Rows are answered in pages; with `format=csv` or `ndjson` they are streamed up to `limit`, and the last line of " +
      'ndjson is `{"next_cursor": ...}` where the limit left some out. With `group_by` or `step` the answer is sums, ' +
      "as of `/api/top`: as csv a line for each group (with a step: for each of its points), as ndjson the groups and then " +
      "a line with all the rest. Sums come of the coarsest level of history that gives what is asked; they are of rows that " +
      "were written: what moved in the newest windows is not in them yet.",
    query: historyQuerySchema(0),
    answer: z.union([historyPageSchema, sumsAnswerSchema]),
    example: EXAMPLES.rows,
    media: {
      "text/csv": "RFC 4180 with a header line",
      "application/x-ndjson": "One JSON object a line",
    },
    errors: QUESTION_ERRORS,
  },
  "/api/top": {
    summary: "Most traffic by domain, client, port or other keys over a time range",
    description: "`groups` and `other` add up to `total`.",
    query: topQuerySchema(0),
    answer: sumsAnswerSchema,
    example: EXAMPLES.top,
    errors: QUESTION_ERRORS,
  },
  "/api/timeseries": {
    summary: "Traffic over time, in all and of the largest groups",
    query: timeseriesQuerySchema(0),
    answer: timeseriesSchema,
    example: EXAMPLES.timeseries,
    errors: QUESTION_ERRORS,
  },
  "/api/connections/:id": {
    summary: "One connection: live, in history, and the lookups of its name",
    query: emptyQuerySchema,
    path: z.strictObject({
      id: z.string().describe("`id` of a live connection, or `connection_id` of a row of history"),
    }),
    answer: storySchema,
    errors: { ...QUESTION_ERRORS, 404: "Neither live nor in history" },
  },
  "/api/suggest": {
    summary: "Values that live connections have, for completing a filter",
    query: suggestQuerySchema,
    answer: suggestSchema,
    example: EXAMPLES.suggest,
    errors: COMMON_ERRORS,
  },
  "/api/domains": {
    summary: "Traffic by domain over a time range",
    description:
      "Sums rows of history: what moved in the window that has not ended yet, the newest, is not in them. " +
      "`domains`, `other` and `unnamed` add up to all that was summed.",
    query: domainsQuerySchema(0),
    answer: domainsSchema,
    errors: QUESTION_ERRORS,
  },
  "/api/dns": {
    summary: "DNS lookups seen of late",
    description:
      "The last 4096 that were answered or given up, fewer when they are long, since the agent's start.",
    query: dnsQuerySchema,
    answer: dnsSchema,
    errors: COMMON_ERRORS,
  },
  "/api/stream": {
    summary: "WebSocket of statistics and changes, one message a second and topic",
    description:
      "Messages are of the schema of 200. A browser sends the token as `Sec-WebSocket-Protocol: bearer, <token>` " +
      "(the token itself or its base64url). A reader that leaves over 1 MiB unread is closed with code 1013.",
    query: streamQuerySchema,
    answer: streamMessageSchema,
    errors: { ...COMMON_ERRORS, 426: "Not a WebSocket handshake", 503: "64 streams are open already" },
  },
  "/metrics": {
    summary: "Metrics for Prometheus, text format",
    query: emptyQuerySchema,
    answer: z.string(),
    errors: COMMON_ERRORS,
  },
  "/openapi.json": {
    summary: "This document",
    query: emptyQuerySchema,
    answer: z.looseObject({ openapi: z.string() }),
    errors: COMMON_ERRORS,
  },
  "/assets/:name": {
    summary: "What the page loads, without a token",
    query: emptyQuerySchema,
    path: z.strictObject({ name: z.string() }),
    answer: z.string(),
    errors: { ...COMMON_ERRORS, 404: "The page has no such file" },
  },
};
