/** `build.ts --all`: every executable runs, what describes them is right. Other processors are emulated, without their kernel. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagesOf } from "../../build/debian.ts";
import { executableOf, type Target, TARGETS, targetOf } from "../../build/targets.ts";
import { exec } from "../lab/support/process.ts";
import { ROOT } from "../support/command.ts";
import { frame, TCP } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { clientHello, tlsRecords } from "../support/tls.ts";

/** The first build on a machine downloads another runtime, 50 MB, and other libraries. */
const BUILD_MS = 8 * 60_000;
/** x86-64-v2, of 2008: no AVX. */
const OLD_PROCESSOR = "Nehalem";
const DIST = join(ROOT, "dist");
const HOST = targetOf(process.arch);

beforeAll(async () => {
  await exec(["env", "-C", ROOT, "bun", "build.ts", "--all"], { timeoutMs: BUILD_MS });
}, BUILD_MS);

/** The executable of a target under an emulator of its processor, with Debian's loader for it. */
async function emulated(target: Target): Promise<string[]> {
  const executable = join(DIST, executableOf(target));
  const [libc] = await packagesOf(["libc.so.6"], HOST, target);
  const root = libc?.root ?? "/";
  if (target.arch === "x64") return ["qemu-x86_64-static", "-cpu", OLD_PROCESSOR, "-L", root, executable];
  return ["qemu-aarch64-static", "-L", root, executable];
}

describe.each(TARGETS.map((target) => [target.name, target] as const))("%s", (_, target) => {
  test("says what it is", async () => {
    const { stdout } = await exec([...(await emulated(target)), "version", "--json"], {
      timeoutMs: BUILD_MS,
    });
    const version = JSON.parse(stdout) as { arch: string; bun: string; libraries: Record<string, string> };
    expect(version).toMatchObject({ arch: target.arch, bun: Bun.version });
    expect(Object.keys(version.libraries)).toEqual(expect.arrayContaining(["libelf.so.1", "libbpf.so.1"]));
  });

  test("reads a capture", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ayaflow-architectures-"));
    try {
      const ends = { source: "192.0.2.1", destination: "198.51.100.7" };
      const segment = (flags: number, sequence: number, payload: Uint8Array) =>
        frame({
          ...ends,
          transport: { kind: "tcp", sourcePort: 40000, destinationPort: 443, flags, sequence, payload },
        });
      const hello = tlsRecords(clientHello({ serverName: "old.example", alpn: ["h2"] }));
      const file = join(folder, "a.pcap");
      const frames = [segment(TCP.syn, 1, new Uint8Array()), segment(TCP.ack, 2, hello)];
      await writePcap(file, frames);
      const { stdout } = await exec([...(await emulated(target)), "inspect", "--json", file], {
        timeoutMs: BUILD_MS,
      });
      expect(stdout).toContain('"old.example"');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("loads its own libraries", async () => {
    const command = [...(await emulated(target)), "doctor"];
    const { stdout } = await exec(command, { check: false, timeoutMs: BUILD_MS });
    // The emulator has no bpf(2), which libbpf must be loaded to find out.
    expect(stdout).toMatch(/^fail +bpf .*ENOSYS/m);
  });
});

test("SHA256SUMS is of every file", async () => {
  const { stdout } = await exec(["env", "-C", DIST, "sha256sum", "--strict", "-c", "SHA256SUMS"]);
  const names = stdout.trim().split("\n");
  for (const name of [...TARGETS.map(executableOf), "ayaflow.cdx.json"])
    expect(names).toContain(`${name}: OK`);
});

test("the bill of materials is CycloneDX 1.6, and has what is in each executable", async () => {
  const library = join(DIST, "tools", "npm", "node_modules", "@cyclonedx", "cyclonedx-library");
  const { Validation, Spec } = await import(join(library, "dist.node", "index.node.js"));
  const text = await Bun.file(join(DIST, "ayaflow.cdx.json")).text();
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  expect(await validator.validate(text)).toBeNull();
  expect(await validator.validate(text.replace('"purl"', '"pearl"'))).not.toBeNull();

  const { components } = JSON.parse(text) as { components: { purl: string; licenses: unknown[] }[] };
  const purls = components.map(({ purl }) => purl);
  for (const runtime of TARGETS.map((target) => target.runtime.replace("@", "%40")))
    expect(purls).toContain(`pkg:npm/${runtime}@${Bun.version}`);
  for (const name of ["libbpf1", "libelf1", "zlib1g"])
    for (const { debian } of TARGETS)
      expect(
        purls.filter((purl) => purl.startsWith(`pkg:deb/debian/${name}@`) && purl.endsWith(`=${debian}`)),
      ).toHaveLength(1);
  for (const name of ["elysia", "preact", "zod"]) expect(purls.join(" ")).toContain(`pkg:npm/${name}@`);
  expect(purls.join(" ")).not.toContain("pkg:npm/typescript@");
  expect(new Set(purls).size).toBe(purls.length);
  expect(components.filter(({ licenses }) => licenses.length === 0)).toEqual([]);
});
