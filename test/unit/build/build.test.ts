import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { addChecksums } from "../../../build/checksums.ts";
import { bunComponent, type Component, npmComponent } from "../../../build/components.ts";
import { checkMachine } from "../../../build/libraries.ts";
import { licensesText, packedLicenses } from "../../../build/licenses.ts";
import { sbom } from "../../../build/sbom.ts";
import { targetOf } from "../../../build/targets.ts";
import { packagesIn } from "../../../build/bundle.ts";
import { exec } from "../../lab/support/process.ts";
import { ROOT } from "../../support/command.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-build-"));
});
afterAll(() => rm(folder, { recursive: true }));

const component = (name: string, text: string): Component => ({
  name,
  version: "1.0.0",
  purl: `pkg:npm/${name}@1.0.0`,
  license: "MIT",
  texts: [text],
  hash: { algorithm: "SHA-256", hex: "00".repeat(32) },
});
const PRODUCT = component("product", "terms of the product");

test("a target that there is not", () => {
  expect(targetOf("arm64").debian).toBe("arm64");
  expect(() => targetOf("mips")).toThrow('no build target "mips"; there are: x64, x64-baseline, arm64');
});

test("a library of another architecture is not put in", async () => {
  const bytes = await Bun.file(process.execPath).slice(0, 64).bytes();
  const [own, other] = process.arch === "x64" ? ["x64", "arm64"] : ["arm64", "x64"];
  expect(() => checkMachine(bytes, "lib.so", targetOf(own))).not.toThrow();
  expect(() => checkMachine(bytes, "lib.so", targetOf(other))).toThrow(`not for ${other}`);
  expect(() => checkMachine(bytes.slice(0, 18), "lib.so", targetOf(own))).toThrow(
    "lib.so is for ELF machine 0",
  );
});

test("packages of a bundle: those with code in it, by their innermost folder", () => {
  const inputs = {
    "../elsewhere/node_modules/a/index.js": { bytesInOutput: 1 },
    "node_modules/a/node_modules/@b/c/lib/x.js": { bytesInOutput: 1 },
    "node_modules/@b/c/y.js": { bytesInOutput: 1 },
    "src/main.ts": { bytesInOutput: 1 },
  };
  const outputs = { "./main.js": { bytes: 4, inputs, imports: [], exports: [] } };
  expect(packagesIn({ inputs: {}, outputs })).toEqual([
    "node_modules/@b/c",
    "node_modules/a",
    "node_modules/a/node_modules/@b/c",
  ]);
  expect(() => packagesIn(undefined)).toThrow("no metafile");
});

describe("an npm package", () => {
  const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;

  async function made(name: string, manifest: object, files: Record<string, string>): Promise<Component> {
    const path = join(folder, name);
    await mkdir(path);
    await Bun.write(join(path, "package.json"), JSON.stringify({ name, version: "2.0.0", ...manifest }));
    for (const [file, text] of Object.entries(files)) await Bun.write(join(path, file), text);
    const inRoot = relative(ROOT, path);
    return await npmComponent(inRoot, new Map([[inRoot, integrity]]));
  }

  test("with terms and notices", async () => {
    const found = await made("whole", { license: "(MIT OR ISC)" }, { LICENCE: "terms", "NOTICE.md": "more" });
    expect(found).toMatchObject({
      license: "MIT OR ISC",
      texts: ["terms", "more"],
      purl: "pkg:npm/whole@2.0.0",
    });
    expect(found.hash).toEqual({ algorithm: "SHA-512", hex: "01".repeat(64) });
  });

  test.each([
    ["without-text", { license: "MIT" }, {}],
    ["without-name", {}, { LICENSE: "terms" }],
  ])("%s stops the build", async (name, manifest, files) => {
    const failure: unknown = await made(name, manifest, files).catch((error: unknown) => error);
    expect(String(failure)).toContain(`${name} 2.0.0 is bundled, but has no licence`);
  });
});

test("Bun's own parts are those of its licence statement", async () => {
  const { parts = [], texts } = await bunComponent({ name: "@oven/bun-linux-x64", sha256: "00" });
  const names = parts.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["JavaScriptCore", "boringssl", "sqlite", "zstd", "tinycc"]));
  expect(names).not.toContain("libuv");
  expect(parts.filter(({ url, license }) => !url.startsWith("https://") || license === "")).toEqual([]);
  expect(texts.join("")).toContain("GNU LIBRARY GENERAL PUBLIC LICENSE");
});

test("licences: components with the same text stand together, and the same text packs to the same bytes", () => {
  const text = licensesText(PRODUCT, [component("a", "one"), component("b", "two"), component("c", "one")]);
  expect(text.split(/^=+$/m).map((section) => section.trim())).toEqual([
    expect.stringContaining("  a 1.0.0: MIT\n  b 1.0.0: MIT\n  c 1.0.0: MIT\n"),
    "product 1.0.0: MIT\n\nterms of the product",
    "a 1.0.0: MIT\nc 1.0.0: MIT\n\none",
    "b 1.0.0: MIT\n\ntwo",
  ]);
  expect(packedLicenses(text)).toEqual(packedLicenses(text));
});

test("a bill of materials is the same for the same contents", () => {
  const parts = [{ name: "part", url: "https://example.org", license: "several licenses" }];
  const make = () => sbom(PRODUCT, [{ ...component("a", "one"), license: "MIT OR ISC", parts }]);
  expect(make()).toEqual(make());
  expect(make()).toMatchObject({
    components: [
      { purl: "pkg:npm/a@1.0.0", licenses: [{ expression: "MIT OR ISC" }], components: [{ name: "part" }] },
    ],
    dependencies: [{ ref: PRODUCT.purl, dependsOn: ["pkg:npm/a@1.0.0"] }, { ref: "pkg:npm/a@1.0.0" }],
  });
});

test("checksums: files are added, those that are gone are left out, and sha256sum agrees", async () => {
  const file = (name: string) => join(folder, name);
  for (const name of ["one", "two", "three"]) await Bun.write(file(name), name);
  await addChecksums([file("two"), file("one")]);
  await rm(file("one"));
  await Bun.write(file("two"), "changed");
  const list = await addChecksums([file("three")]);
  expect((await Bun.file(list).text()).match(/\S+$/gm)).toEqual(["three", "two"]);
  await exec(["env", "-C", folder, "sha256sum", "--strict", "-c", list]);
  const failure: unknown = await addChecksums([file("two"), "/elsewhere/x"]).catch((error: unknown) => error);
  expect(String(failure)).toContain("/elsewhere/x is not in");
});
