import { toOpenAPISchema } from "@elysiajs/openapi/openapi";
import { Elysia } from "elysia";
import * as z from "zod";
import { dnsQuerySchema, domainsQuerySchema } from "./names-query.ts";
import { dnsSchema, domainsSchema } from "./names-schemas.ts";
import { emptyQuerySchema, historyQuerySchema, liveQuerySchema, streamQuerySchema } from "./query.ts";
import type { Route } from "./routes.ts";
import {
  errorSchema,
  healthSchema,
  historyPageSchema,
  indexSchema,
  liveSchema,
  statsSchema,
  streamMessageSchema,
} from "./schemas.ts";

const OPENAPI_VERSION = "3.1.0";

interface RouteDoc {
  summary: string;
  description?: string;
  query: z.ZodObject;
  /** Body of 200; text for what is not JSON. */
  answer: z.ZodType;
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

const DOCS: Readonly<Record<Route, RouteDoc>> = {
  "/": { summary: "List of routes", query: emptyQuerySchema, answer: indexSchema, errors: COMMON_ERRORS },
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
    summary: "Past traffic, newest first",
    query: historyQuerySchema(0),
    answer: historyPageSchema,
    errors: { ...COMMON_ERRORS, 503: "History could not be opened or cannot be read, or too many requests" },
  },
  "/api/domains": {
    summary: "Traffic by domain over a time range",
    description:
      "Sums rows of history: what moved in the window that has not ended yet, the newest, is not in them. " +
      "`domains`, `other` and `unnamed` add up to all rows summed.",
    query: domainsQuerySchema(0),
    answer: domainsSchema,
    errors: {
      ...COMMON_ERRORS,
      503: "History could not be opened or cannot be read, or 2 sums are being made already",
    },
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
};

function jsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    // The default of a parameter is a value already read, which zod therefore leaves out of the input's schema.
    override({ zodSchema: { _zod }, jsonSchema: json }) {
      if (_zod.def.type !== "default") return;
      const { defaultValue } = _zod.def;
      json.default = typeof defaultValue === "number" ? defaultValue : String(defaultValue);
    },
  });
  return rest;
}

const operationId = (route: string): string =>
  `get${
    route
      .split(/[/.]/)
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join("") || "Index"
  }`;

/** An app that serves nothing: its schemas would otherwise be checked against every answer of the real one. */
function documentedApp(hasToken: boolean) {
  const app = new Elysia({ aot: false });
  for (const [path, { summary, description, query, answer, errors }] of Object.entries(DOCS)) {
    const failures = Object.entries(errors)
      .filter(([status]) => hasToken || status !== "401")
      .map(([status, text]) => [status, errorSchema.describe(text)]);
    app.get(path, () => "", {
      query,
      response: { 200: answer.describe(summary), ...Object.fromEntries(failures) },
      detail: {
        summary,
        operationId: operationId(path),
        ...(description === undefined ? {} : { description }),
      },
    });
  }
  return app;
}

/** The OpenAPI 3.1 document of the API; `hasToken` adds the bearer scheme. */
export function openApiDocument(version: string, hasToken: boolean): Record<string, unknown> {
  const { paths } = toOpenAPISchema(
    documentedApp(hasToken),
    { staticFile: false },
    undefined,
    { zod: jsonSchema },
    OPENAPI_VERSION,
  );
  return {
    openapi: OPENAPI_VERSION,
    info: {
      title: "AyaFlow",
      version,
      description: "Who talks to whom on this host, how much, now and in the past.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    ...(hasToken
      ? {
          components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
          security: [{ bearer: [] }],
        }
      : {}),
  };
}
