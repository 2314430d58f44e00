import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ResidentFiles } from "../../../src/bpf/resident.ts";

const MIB = 1024 * 1024;

function residentFileBytes(): number {
  return Number(/^RssFile:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]) * 1024;
}

/** Work that takes code from many places of the runtime. */
function work(): string {
  const text = JSON.stringify({ list: [3, 1, 2].toSorted((a, b) => a - b), text: "äöü".normalize("NFD") });
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  return `${new Intl.NumberFormat("en").format(1234567.5)} ${hash} ${/(\d+)$/.exec("a 17")?.[1]} ${new Date(0).toISOString()}`;
}

/** What the work brings into memory after `handBack`. */
function comesBack(handBack: () => void): number {
  const expected = work();
  handBack();
  const low = residentFileBytes();
  expect(work()).toBe(expected);
  return residentFileBytes() - low;
}

test("pages of the program's files are handed back and come again; after narrowing fewer of them do", () => {
  const files = new ResidentFiles();
  work();
  const before = residentFileBytes();
  files.giveBack();
  expect(before - residentFileBytes()).toBeGreaterThan(8 * MIB);
  const wide = comesBack(() => files.giveBack());
  const narrow = comesBack(() => files.narrow());
  expect(narrow).toBeLessThan(wide * 0.7);
});

test("what was written to stays as it is", () => {
  const values = Uint8Array.from({ length: MIB }, (_, index) => index % 251);
  const sum = () => values.reduce((total, value) => total + value, 0);
  const expected = sum();
  const files = new ResidentFiles();
  for (let round = 0; round < 3; round++) {
    files.narrow();
    expect(sum()).toBe(expected);
    expect(work()).toContain("1,234,567.5");
  }
});
