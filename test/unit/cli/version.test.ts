import { expect, test } from "bun:test";
import { printLicenses } from "../../../src/cli/licenses.ts";
import { cli } from "./command-line.ts";

test("version --licenses is the licences' command, and gives its exit code", async () => {
  const { exitCode, out } = await cli("version --licenses", {}, { licenses: async () => 7 });
  expect({ exitCode, out }).toEqual({ exitCode: 7, out: "" });
});

test("licences are text, not JSON", async () => {
  const { exitCode, err } = await cli("version --licenses --json");
  expect(exitCode).toBe(2);
  expect(err).toContain("'--licenses' cannot be used with option '--json'");
});

function printed() {
  const texts: string[] = [];
  const out = (text: string | Uint8Array) =>
    void texts.push(typeof text === "string" ? text : new TextDecoder().decode(text));
  return { texts, io: { out, err: () => {}, flush: async () => {} } };
}

test("licences name what is inside, and have its terms", async () => {
  const { texts, io } = printed();
  expect(await printLicenses(io)).toBe(0);
  const text = texts.join("");
  for (const name of [
    "bun 1.",
    "libelf1 ",
    "libbpf1 ",
    "zlib1g ",
    "elysia ",
    "react ",
    "preact ",
    "yoga-layout ",
  ])
    expect(text).toMatch(new RegExp(`^  ${name}\\S+: \\S`, "m"));
  for (const words of [
    "GNU LESSER GENERAL PUBLIC LICENSE",
    "Permission is hereby granted",
    "Jean-loup Gailly",
  ])
    expect(text).toContain(words);
  // What only builds and tests it is not inside.
  for (const name of ["typescript", "playwright-core", "oxlint"]) expect(text).not.toContain(`  ${name} `);
});

test("a reader that has seen enough is no failure, another error is", async () => {
  const broken = (code: string) => {
    const flush = () => Promise.reject(Object.assign(new Error(code), { code }));
    return printLicenses({ ...printed().io, flush });
  };
  expect(await broken("EPIPE")).toBe(0);
  const failure: unknown = await broken("EIO").catch((error: unknown) => error);
  expect(String(failure)).toContain("EIO");
});
