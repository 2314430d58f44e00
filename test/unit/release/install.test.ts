import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { releaseFiles } from "../../../build/release.ts";
import { ROOT } from "../../support/command.ts";

const SCRIPT = join(ROOT, "install.sh");
const EXECUTABLE = process.arch === "arm64" ? "ayaflow-linux-arm64" : "ayaflow-linux-x64";
/** Stands for the executable: what the script does with it is the same. */
const PROGRAM = '#!/bin/sh\n[ "$1" = version ] && echo "ayaflow 9.9.9"\n';
/** What the script may call, but for what fetches. */
const TOOLS = [
  "sh",
  "sha256sum",
  "getconf",
  "uname",
  "grep",
  "mktemp",
  "rm",
  "cp",
  "mv",
  "mkdir",
  "chmod",
  "cat",
];

const sha256 = (bytes: string) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** Files below the release's URL; `installed` asks for what it serves. */
const served = new Map<string, string>();
let server: Bun.Server<undefined>;
let folder: string;
/** Requests so far. */
let asked = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-install-"));
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      asked++;
      const body = served.get(new URL(request.url).pathname);
      return body === undefined ? new Response("not here", { status: 404 }) : new Response(body);
    },
  });
});

afterAll(async () => {
  await server.stop(true);
  await rm(folder, { recursive: true });
});

/** Serves a release under `path`, listed in SHA256SUMS as `sums` says. */
function serve(path: string, sums = `${sha256(PROGRAM)}  `): void {
  served.clear();
  const names = releaseFiles("9.9.9").filter((name) => name.startsWith("ayaflow-linux"));
  for (const name of names) served.set(`${path}/${name}`, PROGRAM);
  served.set(`${path}/SHA256SUMS`, names.map((name) => `${sums}${name}\n`).join(""));
}

/** A folder of links to just these programs. */
async function pathOf(tools: readonly string[]): Promise<string> {
  const bin = await mkdtemp(join(folder, "bin-"));
  for (const tool of tools) await symlink(Bun.which(tool) ?? tool, join(bin, tool));
  return bin;
}

interface Outcome {
  exitCode: number;
  out: string;
  /** Files in the prefix. */
  files: string[];
}

async function install(
  args: readonly string[] = [],
  path = process.env.PATH ?? "",
  script = SCRIPT,
): Promise<Outcome> {
  const prefix = await mkdtemp(join(folder, "prefix-"));
  const env = { PATH: path, INSTALL_AYAFLOW_URL: `http://127.0.0.1:${server.port}`, TMPDIR: folder };
  const child = Bun.spawn(["/bin/sh", script, "--prefix", prefix, ...args], {
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const files = (await readdir(prefix, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
  return { exitCode: await child.exited, out: out + err, files };
}

describe("install.sh", () => {
  test("installs the latest release, and leaves nothing else", async () => {
    serve("/latest/download");
    expect(await install()).toEqual({ exitCode: 0, out: "ayaflow 9.9.9\n", files: ["ayaflow"] });
    expect((await readdir(folder)).filter((name) => name.startsWith("tmp."))).toEqual([]);
  });

  test.each(["1.2.3", "v1.2.3"])("installs the release asked for as %s", async (version) => {
    serve("/download/v1.2.3");
    expect(await install(["--version", version])).toMatchObject({ exitCode: 0, files: ["ayaflow"] });
  });

  test("does with wget where there is no curl", async () => {
    serve("/latest/download");
    expect(await install([], await pathOf([...TOOLS, "wget"]))).toMatchObject({
      exitCode: 0,
      files: ["ayaflow"],
    });
  });

  test.each([
    ["another sum", `${sha256("something else")}  `, "is not what SHA256SUMS says"],
    ["no sum for it", `${sha256(PROGRAM)}  another-`, `does not list ${EXECUTABLE}`],
    ["a sum that is none", "0123  ", `does not list ${EXECUTABLE}`],
  ])("refuses %s", async (_, sums, problem) => {
    serve("/latest/download", sums);
    const outcome = await install();
    expect(outcome).toMatchObject({ exitCode: 1, files: [] });
    expect(outcome.out).toContain(problem);
  });

  test("refuses a program that does not run here", async () => {
    serve("/latest/download", `${sha256("#!/nothing\n")}  `);
    for (const name of served.keys()) if (!name.endsWith("SUMS")) served.set(name, "#!/nothing\n");
    const outcome = await install();
    expect(outcome).toMatchObject({ exitCode: 1, files: [] });
    expect(outcome.out).toContain("does not run on this machine");
  });

  test("says what cannot be downloaded", async () => {
    served.clear();
    const outcome = await install();
    expect(outcome).toMatchObject({ exitCode: 1, files: [] });
    expect(outcome.out).toContain(
      `cannot download http://127.0.0.1:${server.port}/latest/download/SHA256SUMS`,
    );
  });

  test.each([
    [["--versoin", "1"], "unknown option --versoin"],
    [["--version"], "--version needs a value"],
    [["--systemd"], "--systemd needs --prefix /usr/local or /usr"],
    [["--version", "../evil"], "--version ../evil: not a version"],
  ])("refuses %p", async (args, problem) => {
    serve("/latest/download");
    const outcome = await install(args);
    expect(outcome).toMatchObject({ exitCode: 2, files: [] });
    expect(outcome.out).toContain(problem);
  });

  test.each([
    ["neither curl nor wget", TOOLS, "needs curl or wget"],
    ["no sha256sum", [...TOOLS.filter((tool) => tool !== "sha256sum"), "curl"], "needs sha256sum"],
  ])("says what is missing: %s", async (_, tools, problem) => {
    serve("/latest/download");
    const outcome = await install([], await pathOf(tools));
    expect(outcome).toMatchObject({ exitCode: 1, files: [] });
    expect(outcome.out).toContain(problem);
  });

  test.each([
    ["#!/bin/sh\nexit 1\n", "no glibc (musl?)"],
    ["#!/bin/sh\necho glibc 2.31\n", "this system has glibc 2.31"],
  ])("refuses a system without the glibc it needs", async (getconf, problem) => {
    serve("/latest/download");
    const bin = await pathOf([...TOOLS.filter((tool) => tool !== "getconf"), "curl"]);
    await writeFile(join(bin, "getconf"), getconf);
    await chmod(join(bin, "getconf"), 0o755);
    const outcome = await install([], bin);
    expect(outcome).toMatchObject({ exitCode: 1, files: [] });
    expect(outcome.out).toContain(problem);
  });

  test("cut short anywhere it does nothing: it does not even ask for the release", async () => {
    serve("/latest/download");
    asked = 0;
    const text = await Bun.file(SCRIPT).text();
    const end = text.lastIndexOf("{ main");
    const cuts = Array.from({ length: 40 }, (_, part) => Math.floor((end * part) / 40));
    // The last line at every byte; whole but for its newline it may run.
    for (let at = end; at < text.trimEnd().length; at++) cuts.push(at);
    await mkdir(join(folder, "cut"));
    for (const kept of cuts) {
      const script = join(folder, "cut", `${kept}.sh`);
      await writeFile(script, text.slice(0, kept));
      expect((await install([], undefined, script)).files).toEqual([]);
    }
    expect(asked).toBe(0);
  });
});
