import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFile, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../support/command.ts";

const node = Bun.which("node") ?? "node";
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-setup-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function setup(root: string, args: string[], path: string): Promise<{ code: number; stderr: string }> {
  const env = {
    PATH: path,
    HOME: folder,
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_fetch_retries: "0",
  };
  const child = Bun.spawn([node, join(root, "setup.mjs"), ...args], {
    env,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [stderr, code] = await Promise.all([child.stderr.text(), child.exited]);
  return { code, stderr };
}

test("has nothing to do and says nothing when all is there", async () => {
  expect(await setup(ROOT, ["build", "demo", "test"], process.env.PATH ?? "")).toEqual({
    code: 0,
    stderr: "",
  });
});

test("names an unknown profile and those there are", async () => {
  const { code, stderr } = await setup(ROOT, ["bild"], "");
  expect(code).toBe(1);
  expect(stderr).toContain("unknown profile: bild");
  expect(stderr).toContain("build demo test");
});

test("says what it needs where there is no dpkg", async () => {
  const { code, stderr } = await setup(ROOT, ["build"], folder);
  expect(code).toBe(1);
  expect(stderr).toContain("clang llvm libbpf-dev bpftool");
  expect(stderr).toContain("Use Debian 12 or newer");
});

test("gives the command to type when packages are missing and apt cannot get them", async () => {
  const bin = join(folder, "bin");
  await mkdir(bin);
  // A dpkg that knows no package, an apt that finds no server.
  await Bun.write(join(bin, "dpkg-query"), "#!/bin/sh\nexit 1\n");
  await Bun.write(join(bin, "apt-get"), "#!/bin/sh\necho 'E: Unable to fetch some archives' >&2\nexit 100\n");
  await Bun.spawn(["chmod", "+x", join(bin, "dpkg-query"), join(bin, "apt-get")]).exited;
  const { code, stderr } = await setup(ROOT, ["build"], bin);
  expect(code).toBe(1);
  expect(stderr).toContain("E: Unable to fetch some archives");
  expect(stderr).toContain(
    "apt-get update && apt-get install -y --no-install-recommends clang llvm libbpf-dev bpftool",
  );
});

test("says why when the npm registry cannot be reached", async () => {
  const copy = join(folder, "clone");
  await mkdir(copy);
  for (const name of ["setup.mjs", "package.json", "package-lock.json"])
    await copyFile(join(ROOT, name), join(copy, name));
  const bin = join(folder, "npm");
  await mkdir(bin);
  await symlink(Bun.which("npm") ?? "npm", join(bin, "npm"));
  await symlink(node, join(bin, "node"));
  const { code, stderr } = await setup(copy, ["build"], `${bin}:/usr/bin:/bin`);
  expect(code).toBe(1);
  expect(stderr).toContain("npm packages could not be installed");
  expect(stderr).toContain("npm error code ECONNREFUSED");
  expect(stderr).toContain("Check that the npm registry is reachable");
});
