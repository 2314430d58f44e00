import { expect, test } from "bun:test";
import { ROUTES } from "../../../src/api/routes.ts";
import { DOCS } from "../../../src/api/openapi-routes.ts";
import { LIVE_SORTS } from "../../../src/flow/types.ts";
import { startTestApi } from "./fixture.ts";

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  summary: string;
  parameters?: Parameter[];
  responses: Record<
    string,
    { description: string; content: Record<string, { schema: Record<string, unknown> }> }
  >;
}
interface Document {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components?: unknown;
  security?: unknown;
}

async function fetchDocument(apiToken: string | null): Promise<Document> {
  const api = await startTestApi({ apiToken });
  const headers: Record<string, string> = apiToken === null ? {} : { authorization: `Bearer ${apiToken}` };
  const response = await api.get("/openapi.json", { headers });
  const document = (await response.json()) as Document;
  await api.stop();
  return document;
}

test("describes every route, its answers and errors", async () => {
  const document = await fetchDocument(null);
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({ title: "AyaFlow", version: "1.2.3" });
  expect(Object.keys(document.paths).sort()).toEqual(
    ROUTES.map((route) => route.replace(/:(\w+)/, "{$1}")).sort(),
  );
  const operations = Object.values(document.paths).map((path) => path["get"]);
  expect(new Set(operations.map((operation) => operation?.operationId)).size).toBe(ROUTES.length);
  for (const operation of operations) {
    expect(operation?.summary).not.toBe("");
    expect(Object.keys(operation?.responses ?? {})).toContain("400");
    expect(Object.keys(operation?.responses ?? {})).toContain("503");
    for (const response of Object.values(operation?.responses ?? {})) {
      expect(response.description).toBeString();
      for (const { schema } of Object.values(response.content)) expect(schema).not.toBeEmptyObject();
    }
  }
});

test("names parameters with type, bounds and defaults", async () => {
  const { paths } = await fetchDocument(null);
  const parameters = paths["/api/live"]?.["get"]?.parameters ?? [];
  expect(parameters.map(({ name }) => name)).toEqual([
    "limit",
    "sort",
    "order",
    "offset",
    "q",
    "ip",
    "port",
    "protocol",
    "interface",
    "state",
    "domain",
  ]);
  expect(parameters[0]).toMatchObject({
    in: "query",
    required: false,
    schema: { type: "integer", minimum: 1, maximum: 1_000_000, default: 50 },
  });
  expect(parameters[1]?.schema).toMatchObject({ enum: [...LIVE_SORTS], default: "packets" });
  const history = paths["/api/history"]?.["get"]?.parameters ?? [];
  const times = ["since", "until", "start_time", "end_time"];
  const ends = ["ip", "src_ip", "dst_ip", "port", "src_port", "dst_port"];
  const others = ["limit", "cursor", "offset", "protocol", "interface", "direction", "domain", "row_type"];
  const sums = ["q", "group_by", "order", "step", "format"];
  expect(history.map(({ name }) => name).sort()).toEqual([...times, ...ends, ...others, ...sums].sort());
  expect(history.find(({ name }) => name === "format")?.schema).toMatchObject({
    enum: ["json", "csv", "ndjson"],
    default: "json",
  });
  const top = paths["/api/top"]?.["get"]?.parameters ?? [];
  expect(top.map(({ name }) => name)).toEqual(["by", "since", "until", "limit", "order", "q"]);
  expect(top[0]?.schema).toMatchObject({ type: "string", default: "domain" });
  const timeseries = paths["/api/timeseries"]?.["get"]?.parameters ?? [];
  expect(timeseries.map(({ name }) => name)).toEqual(["by", "since", "until", "step", "limit", "order", "q"]);
  expect(paths["/api/connections/{id}"]?.["get"]?.parameters).toMatchObject([
    { name: "id", in: "path", required: true },
  ]);
  const domains = paths["/api/domains"]?.["get"]?.parameters ?? [];
  expect(domains.find(({ name }) => name === "source")?.schema).toMatchObject({
    enum: ["sni", "quic", "http", "dns", "ptr"],
  });
  const lookups = paths["/api/dns"]?.["get"]?.parameters ?? [];
  expect(lookups.map(({ name }) => name)).toEqual(["limit", "name", "type", "rcode", "ip"]);
  const content = paths["/metrics"]?.["get"]?.responses["200"]?.content;
  expect(Object.keys(content ?? {})).toEqual(["text/plain"]);
});

test("shows examples that fit their schemas, and the formats", async () => {
  const { paths } = await fetchDocument(null);
  const contentOf = (path: string) => paths[path]?.["get"]?.responses["200"]?.content ?? {};
  for (const [path, { answer, example }] of Object.entries(DOCS)) {
    if (example === undefined) continue;
    expect(answer.safeParse(example)).toMatchObject({ success: true });
    expect(contentOf(path)["application/json"]).toMatchObject({ example });
  }
  expect(Object.keys(contentOf("/api/history"))).toEqual([
    "application/json",
    "text/csv",
    "application/x-ndjson",
  ]);
  expect(Object.keys(contentOf("/"))).toEqual(["application/json", "text/html"]);
});

test("declares the bearer token where one is configured", async () => {
  const open = await fetchDocument(null);
  expect(open.security).toBeUndefined();
  expect(open.paths["/"]?.["get"]?.responses["401"]).toBeUndefined();
  const guarded = await fetchDocument("secret");
  expect(guarded.security).toEqual([{ bearer: [] }]);
  expect(guarded.components).toEqual({ securitySchemes: { bearer: { type: "http", scheme: "bearer" } } });
  expect(guarded.paths["/"]?.["get"]?.responses["401"]).toBeDefined();
});
