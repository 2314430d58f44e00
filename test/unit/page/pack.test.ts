import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { buildPage } from "../../../build-page.ts";
import { packPage, unpackPage } from "../../../src/page-pack.ts";

test("files survive packing", () => {
  const files = new Map([
    ["/", { body: new Uint8Array([1, 2, 3]), type: "text/html", etag: "a", immutable: false }],
    [
      "/assets/é.js",
      { body: new Uint8Array(0), type: "x", encoding: "gzip" as const, etag: "b", immutable: true },
    ],
  ]);
  // A view into something larger is what reading a file may give.
  const larger = new Uint8Array([9, 9, ...packPage(files)]);
  expect(unpackPage(larger.subarray(2))).toEqual(files);
});

test("the built page loads nothing from elsewhere, and has neither script nor style in its document", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ayaflow-page-"));
  try {
    const outfile = join(folder, "page.pack");
    await buildPage(outfile);
    const files = unpackPage(await Bun.file(outfile).bytes());
    const text = (path: string) => gunzipSync(files.get(path)?.body ?? "").toString();
    const html = text("/");
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
    expect(loaded.toSorted()).toEqual([...files.keys()].filter((path) => path !== "/").toSorted());
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/i);
    const own = loaded.map(text).join("\n");
    expect(own).not.toMatch(/@import|sourceMappingURL|url\(\s*["']?https?:/);
    expect([...files.values()].every(({ immutable }, index) => immutable === index > 0)).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
