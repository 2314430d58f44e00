/** Builds of a copy of the tree: the same bytes wherever, and what an executable does with a libbpf that is not its own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Of } from "../../build/step.ts";
import type { Library } from "../../build/libraries.ts";
import { BINARY } from "../lab/support/agent.ts";
import { createLab, VETH } from "../lab/support/lab.ts";
import { exec } from "../lab/support/process.ts";
import { ROOT } from "../support/command.ts";

const PARTS = ["bpf", "src", "build", "build.ts", "build-page.ts", "package.json", "package-lock.json"];
const MORE_PARTS = ["tsconfig.json", "bunfig.toml", "LICENSE"];
/** Other than those of who built the tree itself. */
const ENVIRONMENT = { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", HOME: "/nonexistent", USER: "other" };

let tree = "";
const inTree = (...path: string[]) => join(tree, ...path);

async function build(root: string, env: Record<string, string> = {}): Promise<void> {
  await exec(["env", "-C", root, "sh", "-c", 'umask 077; exec bun build.ts "$@"'], { env });
}

beforeAll(async () => {
  // In dist/, as hard links cannot leave a file system.
  tree = await mkdtemp(join(ROOT, "dist", "tree-"));
  for (const part of [...PARTS, ...MORE_PARTS]) await cp(join(ROOT, part), inTree(part), { recursive: true });
  await exec(["cp", "-al", join(ROOT, "node_modules"), inTree("node_modules")]);
  const repository = join(ROOT, ".git");
  if (existsSync(repository)) await writeFile(inTree(".git"), `gitdir: ${repository}\n`);
});
afterAll(() => rm(tree, { recursive: true, force: true }));

test("another folder, user, time zone and language give the same bytes", async () => {
  await build(ROOT);
  await build(tree, ENVIRONMENT);
  expect(await sha256Of(inTree("dist", "ayaflow"))).toBe(await sha256Of(BINARY));
});

describe("start-up refuses a libbpf", () => {
  const staged = () => inTree("dist", "assets", "libbpf.so.1");
  const list = () => inTree("dist", "assets", "libraries.json");

  /** Puts in a library made from C, and has the build record it as its own unless it is told not to. */
  async function substitute(source: string, isRecorded: boolean): Promise<void> {
    const file = inTree("wrong.c");
    await writeFile(file, source);
    await exec(["clang", "-shared", "-nostdlib", "-fPIC", "-o", staged(), file]);
    if (!isRecorded) return;
    const sha256 = await sha256Of(staged());
    const libraries = (await Bun.file(list()).json()) as Library[];
    const changed = libraries.map((library) =>
      library.file === "libbpf.so.1" ? { ...library, sha256 } : library,
    );
    await writeFile(list(), JSON.stringify(changed));
  }

  const version = (major: number, minor: number) =>
    `unsigned libbpf_major_version(void) { return ${major}; }\nunsigned libbpf_minor_version(void) { return ${minor}; }\n`;

  test.each([
    [
      "that is not the one put in",
      version(1, 1),
      false,
      /^ayaflow: cannot load the built-in libbpf\.so\.1: its SHA-256 is /,
    ],
    [
      "of another version",
      version(0, 8),
      true,
      /^ayaflow: this agent needs libbpf \d+\.\d+, the built-in one is 0\.8; /,
    ],
    [
      "that lacks functions",
      "",
      true,
      /^ayaflow: cannot load the built-in libbpf\.so\.1: .*libbpf_major_version/,
    ],
  ])("%s", async (_, source, isRecorded, expected) => {
    await build(tree, ENVIRONMENT);
    await substitute(source, isRecorded);
    await build(tree, ENVIRONMENT);
    await using lab = await createLab();
    const command = [inTree("dist", "ayaflow"), "--interface", VETH, "--db-path", lab.path("traffic.db")];
    const { exitCode, stdout, stderr } = await lab.server.exec(command, { check: false });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
