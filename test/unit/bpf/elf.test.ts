import { afterAll, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { findSection } from "../../../src/bpf/elf.ts";
import { ROOT } from "../../support/command.ts";

const object = openSync(join(ROOT, "dist", "assets", "ayaflow.bpf.o"), "r");
const text = openSync(join(ROOT, "package.json"), "r");
afterAll(() => {
  closeSync(object);
  closeSync(text);
});

test("sections are where llvm-readelf says they are", () => {
  const { stdout } = Bun.spawnSync(["llvm-readelf", "-SW", join(ROOT, "dist", "assets", "ayaflow.bpf.o")]);
  const listed = [...stdout.toString().matchAll(/\] (\S+) +[A-Z]+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)/g)];
  expect(listed.map(([, name]) => name)).toContain(".maps");
  for (const [, name = "", offset = "", size = ""] of listed) {
    const expected = { offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16) };
    expect([name, findSection(object, name)]).toEqual([name, expected]);
  }
});

test("a section that is not there is not found, nor one in another kind of file", () => {
  expect(findSection(object, ".bun")).toBeNull();
  expect(findSection(text, ".text")).toBeNull();
});
