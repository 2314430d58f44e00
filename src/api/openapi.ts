import { toOpenAPISchema } from "@elysiajs/openapi/openapi";
import { Elysia } from "elysia";
import * as z from "zod";
import { DOCS } from "./openapi-routes.ts";
import { errorSchema } from "./schemas.ts";

const OPENAPI_VERSION = "3.1.0";

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
  for (const [path, { summary, description, query, path: params, answer, errors }] of Object.entries(DOCS)) {
    const failures = Object.entries(errors)
      .filter(([status]) => hasToken || status !== "401")
      .map(([status, text]) => [status, errorSchema.describe(text)]);
    app.get(path, () => "", {
      query,
      ...(params === undefined ? {} : { params }),
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

type Paths = ReturnType<typeof toOpenAPISchema>["paths"];

/** Adds what a schema does not say: an example of an answer, and its other media types. */
function addMedia(paths: Paths): void {
  for (const [path, { example, media = {} }] of Object.entries(DOCS)) {
    const response = paths[path.replace(/:(\w+)/, "{$1}")]?.get?.responses["200"];
    const content = response !== undefined && "content" in response ? response.content : undefined;
    const json = content?.["application/json"];
    if (content === undefined || json === undefined) continue;
    if (example !== undefined) json.example = example;
    for (const [type, description] of Object.entries(media)) {
      content[type] = { schema: { type: "string", description } };
    }
  }
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
  addMedia(paths);
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
