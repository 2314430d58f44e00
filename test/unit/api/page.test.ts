import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import type { PageFile, PageFiles } from "../../../src/api/page.ts";
import { startTestApi, type TestApi } from "./fixture.ts";
import { rawRequest, rawStatus } from "./raw.ts";

const TOKEN = "s3cret-token";
const HTML = "<!doctype html><title>AyaFlow</title>";
const SCRIPT = `console.log(${JSON.stringify("x".repeat(2000))});`;
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const ACCEPT_HTML = { accept: BROWSER };

const FILES: Record<string, PageFile> = {
  "/": {
    body: gzipSync(HTML),
    type: "text/html; charset=utf-8",
    encoding: "gzip",
    etag: '"page1"',
    immutable: false,
  },
  "/assets/page-1a2b.js": {
    body: gzipSync(SCRIPT),
    type: "text/javascript; charset=utf-8",
    encoding: "gzip",
    etag: '"script1"',
    immutable: true,
  },
  "/assets/page-3c.css": {
    body: gzipSync("a{}"),
    type: "text/css",
    encoding: "gzip",
    etag: "css1",
    immutable: true,
  },
  "/assets/mark.svg": { body: Buffer.from("<svg/>"), type: "image/svg+xml", etag: '"svg"', immutable: false },
};

class TestPage implements PageFiles {
  asked: string[] = [];
  get(path: string): PageFile | undefined {
    this.asked.push(path);
    return FILES[path];
  }
}

let page: TestPage;
let api: TestApi;
beforeEach(async () => {
  page = new TestPage();
  api = await startTestApi({}, { page });
});
afterEach(() => api.stop());

describe("/", () => {
  test.each([
    [BROWSER, true],
    ["text/html", true],
    ["TEXT/HTML;q=0.5, application/json;q=0.2", true],
    ["text/html;q=0, */*", false],
    ["text/html;q=0.5, application/json", false],
    ["application/json", false],
    ["*/*", false],
    ["", false],
    ["text/html;q=x", false],
  ])("Accept: %p gets the page: %p", async (accept, isPage) => {
    const response = await api.get("/", { headers: { accept } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(isPage ? "text/html" : "application/json");
    expect(response.headers.get("vary")).toContain("Accept");
    if (isPage) expect(await response.text()).toBe(HTML);
    else expect(await response.json()).toMatchObject({ name: "ayaflow" });
  });

  test("keeps a page's own query", async () => {
    expect(await (await api.get("/?since=-1h&x=<b>", { headers: ACCEPT_HTML })).text()).toBe(HTML);
    expect((await api.get("/?since=-1h", { headers: { accept: "application/json" } })).status).toBe(400);
  });

  test("is the list of routes for all where no page was built", async () => {
    const bare = await startTestApi();
    try {
      const response = await bare.get("/", { headers: ACCEPT_HTML });
      expect(await response.json()).toMatchObject({ name: "ayaflow" });
      expect((await bare.get("/assets/page-1a2b.js")).status).toBe(404);
    } finally {
      await bare.stop();
    }
  });
});

test("nothing is read before it is asked for", async () => {
  await api.get("/api/health");
  expect(page.asked).toEqual([]);
});

describe("headers", () => {
  test("let the page load only what is its own", async () => {
    const { headers } = await api.get("/", { headers: ACCEPT_HTML });
    const policy = Object.fromEntries(
      (headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
        const [name = "", ...values] = directive.split(" ");
        return [name, values.join(" ")];
      }),
    );
    expect(policy).toEqual({
      "default-src": "'none'",
      "script-src": "'self'",
      "style-src": "'self'",
      "img-src": "'self' data:",
      "connect-src": "'self'",
      "font-src": "'self'",
      "base-uri": "'none'",
      "form-action": "'none'",
      "frame-ancestors": "'none'",
      "require-trusted-types-for": "'script'",
    });
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("permissions-policy")).toContain("camera=()");
  });

  test("let what never changes be kept, and the rest be asked for again", async () => {
    const kept = await api.get("/assets/page-1a2b.js");
    expect(kept.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect((await api.get("/", { headers: ACCEPT_HTML })).headers.get("cache-control")).toBe("no-cache");
    expect((await api.get("/assets/mark.svg")).headers.get("cache-control")).toBe("no-cache");
    expect((await api.get("/api/health")).headers.get("cache-control")).toBe("no-store");
  });
});

describe("files", () => {
  test("go compressed as they are stored to who takes that, else as they are", async () => {
    const request = (path: string, accepted: string) =>
      rawRequest(api.port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${accepted}\r\n`);
    const packed = await request("/assets/page-1a2b.js", "Accept-Encoding: br, gzip\r\n");
    expect(packed).toMatch(/content-encoding: gzip/i);
    expect(packed).toEndWith(Buffer.from(FILES["/assets/page-1a2b.js"]?.body ?? []).toString("latin1"));
    for (const accepted of ["", "Accept-Encoding: br\r\n", "Accept-Encoding: *, gzip;q=0\r\n"]) {
      const plain = await request("/assets/page-1a2b.js", accepted);
      expect(plain).not.toMatch(/content-encoding/i);
      expect(plain).toEndWith(SCRIPT);
    }
    expect(await request("/assets/page-3c.css", "")).toEndWith("a{}");
    expect(await request("/assets/mark.svg", "Accept-Encoding: gzip\r\n")).toEndWith("<svg/>");
  });

  test("have a tag for each form, and are not sent again to who has them", async () => {
    const tagOf = async (encoding: string) =>
      (await api.get("/assets/page-1a2b.js", { headers: { "accept-encoding": encoding } })).headers.get(
        "etag",
      );
    const [packed, plain] = [await tagOf("gzip"), await tagOf("identity")];
    expect(packed).not.toBe(plain);
    const again = (tag: string, encoding: string) =>
      api.get("/assets/page-1a2b.js", { headers: { "if-none-match": tag, "accept-encoding": encoding } });
    for (const tag of [packed ?? "", `W/${packed}`, `"other", ${packed}`, "*"]) {
      const response = await again(tag, "gzip");
      expect([tag, response.status]).toEqual([tag, 304]);
      expect(response.headers.get("etag")).toBe(packed);
      expect(await response.text()).toBe("");
    }
    expect((await again(packed ?? "", "identity")).status).toBe(200);
    expect((await again('"other"', "gzip")).status).toBe(200);
  });

  test("answer HEAD with the headers of a GET", async () => {
    const head = await api.get("/assets/page-1a2b.js", {
      method: "HEAD",
      headers: { "accept-encoding": "identity" },
    });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe(String(SCRIPT.length));
    expect(head.headers.get("content-type")).toContain("text/javascript");
    expect(await head.text()).toBe("");
    expect((await api.get("/assets/page-1a2b.js", { method: "POST" })).status).toBe(405);
  });

  test.each([
    "/assets/none.js",
    "/assets/",
    "/assets/../page.ts",
    "/assets/..%2fpage.ts",
    "/assets/%2e%2e/main.ts",
    "/assets/.hidden",
    "/assets/a/b.js",
    "/assets//etc/passwd",
    "/assets/page-1a2b.js%00",
    `/assets/${"a".repeat(200)}`,
  ])("%s is none of them", async (path) => {
    expect(await rawStatus(api.port, path, {})).toBe(404);
    expect(page.asked.filter((asked) => asked !== "/assets/none.js")).toEqual([]);
  });

  test("count as one route", async () => {
    await api.get("/assets/page-1a2b.js");
    await api.get("/assets/none.js");
    await api.get("/", { headers: ACCEPT_HTML });
    const text = await (await api.get("/metrics")).text();
    expect(text).toContain('ayaflow_http_requests_total{route="/assets/:name",method="GET",status="200"} 1');
    expect(text).toContain('ayaflow_http_requests_total{route="/assets/:name",method="GET",status="404"} 1');
    expect(text).toContain('ayaflow_http_requests_total{route="/",method="GET",status="200"} 1');
  });
});

describe("who may have the page", () => {
  test("all who reach it, without the token that the rest wants", async () => {
    const guarded = await startTestApi({ apiToken: TOKEN }, { page });
    try {
      expect(await (await guarded.get("/", { headers: ACCEPT_HTML })).text()).toBe(HTML);
      expect((await guarded.get("/assets/page-1a2b.js")).status).toBe(200);
      for (const path of [
        "/",
        "/api/stats",
        "/api/history",
        "/api/top",
        "/api/connections/1-2",
        "/metrics",
      ]) {
        const headers = path === "/" ? { accept: "application/json" } : ACCEPT_HTML;
        expect([path, (await guarded.get(path, { headers })).status]).toEqual([path, 401]);
      }
    } finally {
      await guarded.stop();
    }
  });

  test("nobody who is not in allowed_ips", async () => {
    const closed = await startTestApi({ allowedIps: ["192.0.2.0/24"] }, { page });
    try {
      expect((await closed.get("/", { headers: ACCEPT_HTML })).status).toBe(403);
      expect((await closed.get("/assets/page-1a2b.js")).status).toBe(403);
    } finally {
      await closed.stop();
    }
  });

  test("nobody who asks by a foreign name", async () => {
    for (const path of ["/", "/assets/page-1a2b.js"]) {
      expect(await rawStatus(api.port, path, { ...ACCEPT_HTML, host: "evil.example" })).toBe(403);
    }
  });
});
