/**
 * Questions about a month of twenty million rows, asked of history, of other stores with the same rows, and of an agent
 * that captures meanwhile: `npm run bench:questions`, or
 * `bun test/bench/questions.ts [--rows N] [--seconds N] [--only SUBJECT,...]`. What it makes stays in
 * `dist/bench/questions/` until the schema or the generator changes.
 */
import { parseArgs } from "node:util";
import { exec } from "../lab/support/process.ts";
import { writeTables } from "./results.ts";
import { askIn, type Asking } from "./support/questions-ask.ts";
import { QUESTIONS } from "./support/questions-asked.ts";
import { makeMonth } from "./support/questions-database.ts";
import { askUnderLoad } from "./support/questions-load.ts";
import { type Asked, boundsOf, disagreements, figuresOf, tablesOf } from "./support/questions-report.ts";
import { fileOf, filesIn, sizeOf, type Subject, SUBJECTS } from "./support/questions-subjects.ts";
import { levelSums, rangeSums } from "./support/questions-sums.ts";
import { publish } from "./support/report.ts";

const ROWS = 20_000_000;
const WARM = { maxTimes: 30, budgetMs: 5000 };
const ONCE = { maxTimes: 1, budgetMs: 0 };
const LOAD_SECONDS = 60;

function tell(text: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)}  ${text}`);
}

/** Puts what a subject keeps into the page cache, or takes it out. */
async function cache(path: string, isWanted: boolean): Promise<void> {
  await exec(["sync"]);
  for (const file of filesIn(path)) {
    const how = isWanted ? ["of=/dev/null", "bs=1M"] : ["iflag=nocache", "count=0"];
    await exec(["dd", `if=${file}`, "status=none", ...how]);
  }
}

/** Asks once, with nothing in the page cache; null where that takes longer than a question may. */
async function askDisk(folder: string, subject: Subject, name: string): Promise<Asking | null> {
  await cache(fileOf(folder, subject), false);
  return await askIn(folder, subject, ONCE, [name]).catch(() => null);
}

async function ask(folder: string, subject: Subject): Promise<Asked> {
  const names = QUESTIONS.map(({ name }) => name);
  tell(`${subject}: asking again and again`);
  await cache(fileOf(folder, subject), true);
  const warm = await askIn(folder, subject, WARM, names);
  tell(`${subject}: asking new processes`);
  const fresh: Asking[] = [];
  for (const name of names) fresh.push(await askIn(folder, subject, ONCE, [name]));
  tell(`${subject}: asking with nothing in memory`);
  const disk: Asked["disk"] = [];
  for (const { name, limitMs } of QUESTIONS) {
    if (limitMs !== undefined) disk.push({ name, asking: await askDisk(folder, subject, name) });
  }
  return { subject, warm, fresh, disk, bytes: await sizeOf(folder, subject) };
}

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: String(ROWS) },
    seconds: { type: "string", default: String(LOAD_SECONDS) },
    only: { type: "string", default: SUBJECTS.join() },
    json: { type: "string" },
  },
});
const rows = Number(values.rows);
const seconds = Number(values.seconds);
if (!Number.isSafeInteger(rows) || rows < 1)
  throw new Error(`--rows: ${values.rows} is not a number of rows`);
if (!Number.isSafeInteger(seconds) || seconds < 1)
  throw new Error(`--seconds: ${values.seconds} is not a time`);
const subjects = SUBJECTS.filter((subject) => values.only.split(",").includes(subject));

const { folder, made } = await makeMonth(rows, subjects, tell);
const history = fileOf(folder, "ours");
const asked: Asked[] = [];
for (const subject of subjects) asked.push(await ask(folder, subject));
tell("comparing sums with the rows'");
const levels = levelSums(history);
const ranges = await rangeSums(history);
tell(`asking an agent under load for ${seconds} s`);
const load = await askUnderLoad(history, seconds);

const results = { made, asked, levels, ranges, load };
await publish({
  name: "questions",
  tables: tablesOf(results),
  bounds: boundsOf(results),
  figures: figuresOf(results),
});
// A smaller month, or fewer stores, is a trial.
if (rows === ROWS && subjects.length === SUBJECTS.length) {
  console.log(
    await writeTables("questions.md", "Questions to a month of history", "bench:questions", ["questions"]),
  );
}
for (const one of disagreements(asked)) console.log(`another answer: ${one}`);
