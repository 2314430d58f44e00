import { describe, expect, test } from "bun:test";
import { canRun, formatChecks } from "../../../src/cli/doctor.ts";
import { type Check, evaluate } from "../../../src/cli/doctor-evaluate.ts";
import type { DatabaseFacts, Facts } from "../../../src/cli/doctor-facts.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Config } from "../../../src/config/types.ts";

const GIB = 1024 ** 3;
const { config: CONFIG } = await loadConfig({ flags: {}, env: {} });

const status = (...bits: number[]) =>
  `Name:\tayaflow\nCapEff:\t${bits
    .reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, "0")}\n`;
const limits = (soft: string) =>
  `Limit  Soft Limit  Hard Limit  Units\nMax locked memory         ${soft}  ${soft}  bytes\n`;
const [NET_ADMIN, SYS_ADMIN, SYS_RESOURCE, PERFMON, BPF] = [12, 21, 24, 38, 39];

const DATABASE: DatabaseFacts = {
  exists: false,
  folder: "/var/lib",
  error: null,
  freeBytes: 10 * GIB,
  bytes: 0,
  problem: null,
};

const GOOD: Facts = {
  kernelRelease: "6.12.0-1-amd64",
  hasBtf: true,
  status: status(NET_ADMIN, PERFMON, BPF),
  limits: limits("8388608"),
  bpf: { ok: true, detail: "bpf(2) works" },
  attach: { hook: "tcx" },
  interfaces: { names: ["eth0"], problems: [], waiting: [] },
  links: { eth0: "up" },
  database: DATABASE,
  portError: null,
};

function check(name: string, facts: Partial<Facts>, config: Partial<Config> = {}): Check {
  const found = evaluate({ ...GOOD, ...facts }, { ...CONFIG, ...config }).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

test("a good host: every check is ok and has no remedy", () => {
  const checks = evaluate(GOOD, CONFIG);
  expect(checks.map(({ name, status: of }) => [name, of])).toEqual([
    ["kernel", "ok"],
    ["capabilities", "ok"],
    ["bpf", "ok"],
    ["btf", "ok"],
    ["attach", "ok"],
    ["memory lock", "ok"],
    ["interface", "ok"],
    ["database", "ok"],
    ["port", "ok"],
  ]);
  expect(checks.filter(({ remedy }) => remedy !== undefined)).toEqual([]);
  expect(canRun(checks)).toBe(true);
});

test.each([
  ["5.10.0-28-amd64", "ok"],
  ["6.1", "ok"],
  ["10.0.0", "ok"],
  ["5.9.16", "fail"],
  ["4.19.0", "fail"],
  ["unknown", "warn"],
])("kernel %p is %p", (kernelRelease, expected) =>
  expect(check("kernel", { kernelRelease }).status).toBe(expected as Check["status"]),
);

test("BTF is not needed", () => expect(check("btf", { hasBtf: false }).status).toBe("ok"));

describe("capabilities", () => {
  test("root, and CAP_SYS_ADMIN in place of CAP_BPF and CAP_PERFMON", () => {
    expect(check("capabilities", { status: "CapEff:\t000001ffffffffff\n" }).status).toBe("ok");
    expect(check("capabilities", { status: status(SYS_ADMIN, NET_ADMIN) }).status).toBe("ok");
  });

  test("what is missing, and the command that gives it", () => {
    expect(check("capabilities", { status: status() })).toEqual({
      name: "capabilities",
      status: "fail",
      found: "without CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON",
      remedy: "run as root or: setcap cap_bpf,cap_net_admin,cap_perfmon+ep on the binary",
    });
    expect(check("capabilities", { status: status(SYS_ADMIN) }).found).toBe("without CAP_NET_ADMIN");
    expect(check("capabilities", { status: status(NET_ADMIN, PERFMON) }).found).toBe("without CAP_BPF");
  });

  test("CAP_PERFMON matters only where loading failed", () => {
    const without = { status: status(NET_ADMIN, BPF) };
    expect(check("capabilities", without).status).toBe("ok");
    expect(check("capabilities", { ...without, attach: { error: "EPERM" } }).status).toBe("warn");
  });

  test("no /proc", () => expect(check("capabilities", { status: "" }).status).toBe("warn"));
});

test("BPF and attaching that do not work", () => {
  expect(check("bpf", { bpf: { ok: false, detail: "bpf(2): EPERM" } })).toMatchObject({
    status: "fail",
    found: "bpf(2): EPERM",
    remedy: expect.stringContaining("seccomp"),
  });
  const attach = { error: "no clsact" };
  expect(check("attach", { attach })).toMatchObject({
    status: "fail",
    remedy: expect.stringContaining("modprobe"),
  });
  expect(check("attach", { attach }, { attachMode: "tcx" }).remedy).toBe(
    "TCX needs Linux 6.6; use --attach-mode auto",
  );
  expect(check("attach", { attach: { hook: "clsact" } }).found).toBe("clsact and cls_bpf");
  expect(check("attach", { attach: { hook: "clsact", missing: ["cls_bpf"] } })).toMatchObject({
    status: "warn",
    remedy: expect.stringContaining("modprobe cls_bpf "),
  });
});

describe("memory lock", () => {
  const old = { kernelRelease: "5.10.0" };
  test.each([
    ["since 5.11 the limit does not matter", { kernelRelease: "5.11.0", limits: limits("65536") }, "ok"],
    ["unlimited", { ...old, limits: limits("unlimited") }, "ok"],
    ["enough", { ...old, limits: limits(String(GIB)) }, "ok"],
    ["too small", { ...old, limits: limits("65536") }, "fail"],
    [
      "too small, but it can be raised",
      { ...old, limits: limits("65536"), status: status(SYS_RESOURCE) },
      "warn",
    ],
    ["no /proc", { ...old, limits: "" }, "warn"],
  ])("%s", (_, facts, expected) =>
    expect(check("memory lock", facts).status).toBe(expected as Check["status"]),
  );

  test("more connections need more", () => {
    const facts = { ...old, limits: limits(String(64 * 1024 ** 2)) };
    expect(check("memory lock", facts).status).toBe("ok");
    expect(check("memory lock", facts, { maxConnections: 1_000_000 }).status).toBe("fail");
  });
});

describe("interface", () => {
  test("problems are told as they are", () => {
    const interfaces = { names: ["eth0"], problems: ["interface eth9 does not exist"], waiting: [] };
    expect(check("interface", { interfaces })).toEqual({
      name: "interface",
      status: "fail",
      found: "interface eth9 does not exist",
      remedy: "choose with --interface",
    });
  });

  test("down is a warning, unknown is not", () => {
    const interfaces = { names: ["eth0", "eth1"], problems: [], waiting: [] };
    const down = check("interface", { interfaces, links: { eth0: "up", eth1: "down" } });
    expect(down.status).toBe("warn");
    expect(down.found).toBe("eth0 (up), eth1 (down)");
    expect(down.remedy).toStartWith("ip link set eth1 up");
    expect(check("interface", { interfaces, links: {} })).toMatchObject({
      status: "ok",
      found: "eth0, eth1",
    });
  });
});

describe("database", () => {
  const database = (facts: Partial<DatabaseFacts>) =>
    check("database", { database: { ...DATABASE, ...facts } });

  test("cannot be written", () => {
    expect(database({ error: "EACCES" })).toEqual({
      name: "database",
      status: "fail",
      found: "/var/lib/ayaflow/traffic.db cannot be written (EACCES)",
      remedy: "make /var/lib writable for this user, or choose another --db-path",
    });
    expect(database({ error: "EROFS" }).remedy).toContain("read-only");
  });

  test("broken or newer", () => {
    const problem = "/a.db: schema version 9 is newer than this program knows";
    expect(database({ exists: true, problem })).toMatchObject({ status: "fail", found: problem });
  });

  test("free space is measured against what the history may still grow by", () => {
    expect(database({ freeBytes: GIB / 2 }).status).toBe("warn");
    expect(database({ freeBytes: GIB / 2, exists: true, bytes: 0.75 * GIB }).status).toBe("ok");
    expect(database({ freeBytes: 0, exists: true, bytes: 2 * GIB }).status).toBe("warn");
    expect(database({ freeBytes: null }).status).toBe("ok");
  });
});

test.each([
  ["EADDRINUSE", "127.0.0.1:3000 is in use"],
  ["EACCES", "127.0.0.1:3000 is not permitted"],
  ["EADDRNOTAVAIL", "127.0.0.1:3000 is not an address of this host"],
  ["EWHATEVER", "127.0.0.1:3000 fails with EWHATEVER"],
])("port: %p", (portError, found) => {
  const one = check("port", { portError });
  expect(one).toMatchObject({ status: "fail", found });
  expect(one.remedy).toBeString();
});

test("port 0 and IPv6 are named as such", () => {
  expect(check("port", {}, { port: 0 }).found).toBe("any free port of 127.0.0.1");
  expect(check("port", {}, { listen: "::1" }).found).toBe("[::1]:3000 is free");
});

test("one line a check, with the remedy, safe for a terminal", () => {
  const text = formatChecks([
    { name: "kernel", status: "ok", found: "Linux 6.1" },
    { name: "port", status: "fail", found: "\u001b[31min\nuse", remedy: "choose another" },
  ]);
  expect(text).toBe(
    "ok    kernel        Linux 6.1\nfail  port          \\u001b[31min\\u000ause -> choose another\n",
  );
});

test("warnings do not stop the agent, failures do", () => {
  expect(canRun([{ name: "a", status: "warn", found: "" }])).toBe(true);
  expect(
    canRun([
      { name: "a", status: "ok", found: "" },
      { name: "b", status: "fail", found: "" },
    ]),
  ).toBe(false);
});
