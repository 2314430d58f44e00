/**
 * Runs everything that is tested: `npm test`, or `npm test -- GROUP...` for some.
 * The last line says how many passed and failed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./check.ts";
import { passThrough, ROOT } from "./support/command.ts";
import { type Counts, countReport, formatCounts, NONE, sum } from "./support/junit.ts";

const TEST_TIMEOUT_MS = 60_000;
// A test that never yields is beyond its own timeout.
const FOLDER_TIMEOUT_MS = 20 * 60_000;
const FOLDERS = ["unit", "fuzz", "packets", "lab", "page", "binary", "service", "image", "kernels", "demo"];

function testFiles(folder: string): string[] {
  const pattern = new Bun.Glob(`test/${folder}/**/*.test.ts`);
  return [...pattern.scanSync({ cwd: ROOT })].sort();
}

async function build(): Promise<Counts> {
  const passed = (await passThrough(["bun", "build.ts"])) === 0;
  console.log(`${passed ? "(pass)" : "(fail)"} build`);
  return { ...NONE, [passed ? "passed" : "failed"]: 1 };
}

async function runFolder(files: string[], reports: string): Promise<Counts> {
  const outfile = join(reports, "junit.xml");
  await rm(outfile, { force: true });
  const options = ["--reporter=junit", `--reporter-outfile=${outfile}`, `--timeout=${TEST_TIMEOUT_MS}`];
  const command = ["bun", "test", ...options, ...files.map((file) => `./${file}`)];
  const exitCode = await passThrough(command, FOLDER_TIMEOUT_MS);
  const report = Bun.file(outfile);
  return countReport((await report.exists()) ? await report.text() : null, exitCode, files);
}

/** Runs the groups in order. Nothing runs on a failed build: it would test an older one. */
async function run(groups: ReadonlySet<string>): Promise<Counts> {
  const wanted = (name: string) => groups.size === 0 || groups.has(name);
  const folders = FOLDERS.filter(wanted)
    .map((folder) => ({ folder, files: testFiles(folder) }))
    .filter(({ files }) => files.length > 0);
  let counts = wanted("check") ? await runChecks() : NONE;
  if (!wanted("build") && folders.length === 0) return counts;
  const built = await build();
  counts = sum(counts, built);
  if (built.failed > 0) return counts;
  const reports = await mkdtemp(join(tmpdir(), "ayaflow-test-"));
  try {
    for (const { folder, files } of folders) {
      console.log(`\n== test/${folder}`);
      counts = sum(counts, await runFolder(files, reports));
    }
  } finally {
    await rm(reports, { recursive: true });
  }
  return counts;
}

const groups = new Set(process.argv.slice(2));
const known = new Set(["check", "build", ...FOLDERS]);
const unknown = [...groups].filter((group) => !known.has(group));
if (unknown.length > 0) {
  console.error(`no such test group: ${unknown.join(", ")}; there are: ${[...known].join(", ")}`);
  process.exit(2);
}
const counts = await run(groups);
console.log(`\n${formatCounts(counts)}`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
