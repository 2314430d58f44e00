import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFile } from "../../../packaging/config-file.ts";
import { escape, manPage } from "../../../packaging/man.ts";
import { MIN_GLIBC } from "../../../packaging/tree.ts";
import { debianVersion, wrap } from "../../../packaging/words.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { OPTION_KEYS, optionOf } from "../../../src/config/options.ts";
import { ROOT } from "../../support/command.ts";

/** Where `text` is as a file, while `use` runs. */
async function asFile<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "ayaflow-packaging-"));
  try {
    const path = join(folder, "file");
    await Bun.write(path, text);
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const load = (text: string) =>
  asFile(text, async (config) => await loadConfig({ flags: { config }, env: {} }));

describe("the configuration file", () => {
  test("has every option, commented out", async () => {
    const text = configFile();
    const keys = OPTION_KEYS.filter((key) => optionOf(key).group !== "Compatibility");
    expect([...text.matchAll(/^#([a-z_]+):/gm)].map(([, key]) => key ?? "")).toEqual(keys);
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
    const defaults = await loadConfig({ flags: {}, env: {} });
    expect((await load(text)).settings).toEqual(defaults.settings);
  });

  test("says the defaults", async () => {
    const text = configFile().replaceAll(/^#(?=[a-z_]+:)/gm, "");
    const defaults = await loadConfig({ flags: {}, env: {} });
    const loaded = await load(text);
    expect(loaded.settings).toEqual(defaults.settings);
    expect(loaded.warnings).toEqual([]);
    expect(Object.keys(loaded.sources).length).toBeGreaterThan(20);
  });
});

describe("the manual page", () => {
  test("is without a mistake to mandoc and to groff", async () => {
    await asFile(manPage("1.2.3", "2026-11-27"), async (path) => {
      const lint = Bun.spawnSync(["mandoc", "-T", "lint", "-W", "warning", path]);
      expect(lint.stdout.toString()).toBe("");
      // Without bold and underlined letters: grotty(1).
      const groff = Bun.spawnSync(["groff", "-man", "-ww", "-Tutf8", "-Kutf8", "-P-c", "-P-b", "-P-u", path]);
      expect(groff.stderr.toString()).toBe("");
      const shown = groff.stdout.toString();
      for (const key of OPTION_KEYS)
        expect(shown).toContain(/--[a-z0-9-]+/.exec(optionOf(key).flags)?.[0] ?? key);
      for (const words of ["config check", "history [filter...]", "EXIT STATUS", "'eth*'"])
        expect(shown).toContain(words);
      expect(shown).not.toContain("__complete");
    });
  });

  test("keeps words from being commands to troff", () => {
    expect(escape(".so /etc/passwd\n'x \\n --flag ~")).toBe(
      "\\&.so /etc/passwd\n\\&'x \\en \\-\\-flag \\(ti",
    );
  });
});

test("a version that comes before another does so in Debian as well", () => {
  for (const [before, after] of [
    ["1.0.0-rc.1", "1.0.0"],
    ["1.0.0", "1.0.1-rc.1"],
  ] as const) {
    const order = ["dpkg", "--compare-versions", debianVersion(before), "lt", debianVersion(after)];
    expect(Bun.spawnSync(order).exitCode).toBe(0);
  }
});

test("lines are broken at blanks", () => {
  expect(wrap("one two  three\nfour", 9)).toEqual(["one two", "three", "four"]);
  expect(wrap("a-word-that-is-longer", 5)).toEqual(["a-word-that-is-longer"]);
});

test("the glibc that package and script ask for is the newest that anything in it asks for", async () => {
  const assets = [...new Bun.Glob("dist/assets/*.so.*").scanSync({ cwd: ROOT, absolute: true })].filter(
    (path) => Bun.file(path).size > 0,
  );
  expect(assets.length).toBeGreaterThan(2);
  const symbols = Bun.spawnSync([
    "llvm-readelf",
    "-V",
    join(ROOT, "dist", "ayaflow"),
    ...assets,
  ]).stdout.toString();
  const minors = [...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  expect(MIN_GLIBC).toBe(`2.${Math.max(...minors)}`);
  expect(await Bun.file(join(ROOT, "install.sh")).text()).toContain(
    `MIN_GLIBC_MINOR=${Math.max(...minors)}\n`,
  );
});
