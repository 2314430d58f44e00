import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { runDoctor } from "../../../src/cli/doctor.ts";
import type { Check } from "../../../src/cli/doctor-evaluate.ts";
import type { DoctorProbes } from "../../../src/cli/doctor-facts.ts";
import { readDatabaseFacts, tryListen } from "../../../src/cli/doctor-read.ts";
import { readInterfaceFacts, resolveInterfaces } from "../../../src/config/interfaces.ts";
import { loadConfig } from "../../../src/config/load.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync("/tmp/ayaflow-doctor-");
});
afterAll(() => rmSync(folder, { recursive: true }));

const PROBES: DoctorProbes = {
  bpf: () => ({ ok: true, detail: "bpf(2) works" }),
  attach: () => ({ hook: "tcx" }),
  checkDatabase: () => null,
  resolveInterfaces: (patterns) => resolveInterfaces(patterns, readInterfaceFacts()),
};

async function doctor(flags: Record<string, unknown>, probes: Partial<DoctorProbes> = {}, json = true) {
  const { config } = await loadConfig({
    flags: { interface: "lo", port: 0, db_path: `${folder}/a/traffic.db`, ...flags },
    env: {},
  });
  let out = "";
  const exitCode = await runDoctor(config, { ...PROBES, ...probes }, { json }, (text) => {
    out += text;
  });
  return { exitCode, out };
}

async function statusOf(name: string, flags: Record<string, unknown>, probes: Partial<DoctorProbes> = {}) {
  const { out, exitCode } = await doctor(flags, probes);
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: Check[] };
  expect(exitCode).toBe(ok ? 0 : 1);
  return checks.find((check) => check.name === name);
}

test("reads this machine, as text and as JSON, and leaves nothing behind", async () => {
  const { out } = await doctor({}, {}, false);
  const lines = out.trimEnd().split("\n");
  expect(lines).toHaveLength(9);
  for (const line of lines) expect(line).toMatch(/^(ok|warn|fail) +\S/);
  expect(lines[0]).toMatch(/^ok +kernel +Linux \d+\.\d+/);
  expect(await statusOf("interface", {})).toMatchObject({
    status: "ok",
    found: expect.stringContaining("lo"),
  });
  expect(readdirSync(folder)).toEqual([]);
});

test("a probe that throws is a failed check, not a crash", async () => {
  const broken = (): never => {
    throw new Error("libbpf cannot be loaded");
  };
  for (const [name, probes] of [
    ["bpf", { bpf: broken }],
    ["attach", { attach: broken }],
    ["interface", { resolveInterfaces: broken }],
  ] as const) {
    expect(await statusOf(name, {}, probes)).toMatchObject({
      status: "fail",
      found: "libbpf cannot be loaded",
    });
  }
});

test("an interface that does not exist", async () => {
  expect(await statusOf("interface", { interface: "nonesuch0" })).toMatchObject({
    status: "fail",
    found: expect.stringContaining("interface nonesuch0 does not exist (there are lo"),
  });
});

test("a port in use", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    expect(await tryListen("127.0.0.1", server.port)).toBe("EADDRINUSE");
    expect(await statusOf("port", { port: server.port })).toMatchObject({
      status: "fail",
      found: `127.0.0.1:${server.port} is in use`,
    });
  } finally {
    server.stop(true);
  }
  expect(await tryListen("127.0.0.1", server.port)).toBeNull();
});

test("an address that is not of this host", async () => {
  expect(await tryListen("192.0.2.1", 0)).toBe("EADDRNOTAVAIL");
});

describe("the database's place", () => {
  const none = () => null;

  test("a folder that can be made", () => {
    expect(readDatabaseFacts(`${folder}/x/y/traffic.db`, none)).toMatchObject({
      exists: false,
      folder,
      error: null,
      problem: null,
      bytes: 0,
    });
  });

  test("an existing file is asked about, and only then", () => {
    const path = `${folder}/traffic.db`;
    const asked: string[] = [];
    const ask = (of: string) => {
      asked.push(of);
      return "it is broken";
    };
    expect(readDatabaseFacts(path, ask).problem).toBeNull();
    writeFileSync(path, "12345");
    expect(readDatabaseFacts(path, ask)).toMatchObject({ exists: true, bytes: 5, problem: "it is broken" });
    expect(asked).toEqual([path]);
    rmSync(path);
  });

  test("a folder in its place, a file in its way", () => {
    mkdirSync(`${folder}/taken`);
    writeFileSync(`${folder}/file`, "");
    expect(readDatabaseFacts(`${folder}/taken`, none).error).toBe("EISDIR");
    expect(readDatabaseFacts(`${folder}/file/traffic.db`, none).error).toBe("ENOTDIR");
    rmSync(`${folder}/taken`, { recursive: true });
    rmSync(`${folder}/file`);
  });
});
