import { describe, expect, test } from "bun:test";
import { LIBRARIES, libbpfVersionProblem, libraryProblem } from "../../../src/bpf/libraries.ts";

const record = (version: string, sha256 = "") => ({ version, sha256 });

test("from source there are no records, and nothing to compare with", () => {
  expect(LIBRARIES).toEqual({});
  expect(libraryProblem(undefined, new Uint8Array([1]))).toBeUndefined();
});

test("a library is known by its SHA-256", () => {
  const bytes = new TextEncoder().encode("abc");
  // FIPS 180-4's example.
  const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(libraryProblem(record("1.1", sha256), bytes)).toBeUndefined();
  expect(libraryProblem(record("1.1", sha256), bytes.slice(1))).toMatch(
    /not ba7816bf8f01\.\.\.; .*get it again/,
  );
});

describe("libbpf's version", () => {
  test.each([
    [undefined, 1, 1],
    [undefined, 1, 9],
    ["1.1.2-0+deb12u1", 1, 1],
    ["1:1.5.0-2", 1, 5],
  ])("%p and %p.%p go together", (version, major, minor) => {
    const known = version === undefined ? undefined : record(version);
    expect(libbpfVersionProblem(known, { major, minor })).toBeUndefined();
  });

  test.each([
    [undefined, 0, 8, "needs libbpf 1.x, the built-in one is 0.8;"],
    ["1.1.2-0+deb12u1", 1, 5, "needs libbpf 1.1, the built-in one is 1.5;"],
    ["0.8.1-1", 0, 8, "needs libbpf 0.8, the built-in one is 0.8;"],
    ["1:1.1.2", 11, 1, "needs libbpf 1.1, the built-in one is 11.1;"],
  ])("%p and %p.%p do not", (version, major, minor, text) => {
    const known = version === undefined ? undefined : record(version);
    expect(libbpfVersionProblem(known, { major, minor })).toContain(text);
  });
});
