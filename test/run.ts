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
/** Folders in the order they run in; those of one stage side by side, as none of them is about what the machine can carry. */
const STAGES = [
  ["unit", "page"],
  ["fuzz"],
  ["packets"],
  ["lab"],
  ["binary"],
  ["service"],
  ["image"],
  ["kernels"],
  ["demo"],
];
const FOLDERS = STAGES.flat();

function testFiles(folder: string): string[] {
  const pattern = new Bun.Glob(`test/${folder}/**/*.test.ts`);
  return [...pattern.scanSync({ cwd: ROOT })].sort();
}

async function build(): Promise<Counts> {
  const passed = (await passThrough(["bun", "build.ts"])) === 0;
  console.log(`${passed ? "(pass)" : "(fail)"} build`);
  return { ...NONE, [passed ? "passed" : "failed"]: 1 };
}

async function runFolder(folder: string, reports: string, isHeldBack: boolean): Promise<Counts> {
  const files = testFiles(folder);
  if (files.length === 0) return NONE;
  const title = `\n== test/${folder}`;
  if (!isHeldBack) console.log(title);
  const outfile = join(reports, `${folder}.xml`);
  const options = ["--reporter=junit", `--reporter-outfile=${outfile}`, `--timeout=${TEST_TIMEOUT_MS}`];
  const command = ["bun", "test", ...options, ...files.map((file) => `./${file}`)];
  const exitCode = await passThrough(command, FOLDER_TIMEOUT_MS, isHeldBack ? title : undefined);
  const report = Bun.file(outfile);
  return countReport((await report.exists()) ? await report.text() : null, exitCode, files);
}

/** Runs the groups in order. Nothing runs on a failed build: it would test an older one. */
async function run(groups: ReadonlySet<string>): Promise<Counts> {
  const wanted = (name: string) => groups.size === 0 || groups.has(name);
  const stages = STAGES.map((stage) => stage.filter(wanted)).filter((stage) => stage.length > 0);
  let counts = wanted("check") ? await runChecks() : NONE;
  if (!wanted("build") && stages.length === 0) return counts;
  const built = await build();
  counts = sum(counts, built);
  if (built.failed > 0) return counts;
  const reports = await mkdtemp(join(tmpdir(), "ayaflow-test-"));
  try {
    for (const stage of stages) {
      const counted = stage.map((folder, index) => runFolder(folder, reports, index > 0));
      for (const folder of await Promise.all(counted)) counts = sum(counts, folder);
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
