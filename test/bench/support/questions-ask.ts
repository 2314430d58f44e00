/**
 * Asks one subject in a process of its own: `bun questions-ask.ts FOLDER SUBJECT MAX_TIMES BUDGET_MS NAME...` asks each
 * of the questions named as often as MAX_TIMES or until BUDGET_MS are over for it, and prints the times as JSON.
 */
import { readFileSync } from "node:fs";
import { type AnsweredRow, inOrder, questionOf } from "./questions-asked.ts";
import { open, prepare, type Subject, SUBJECTS } from "./questions-subjects.ts";

export interface AskedTimes {
  name: string;
  /** Milliseconds, in the order in which it was asked. */
  times: number[];
  answer: AnsweredRow[];
}

export interface Asking {
  /** Milliseconds until it was open. */
  openMs: number;
  /** Bytes of memory, resident, at most. */
  peakBytes: number;
  questions: AskedTimes[];
}

export interface AskOptions {
  /** Asks each so often at most, */
  maxTimes: number;
  /** and no more once that is over; twice at least unless `maxTimes` is 1. */
  budgetMs: number;
}

const MIN_TIMES = 2;
const KIBIBYTE = 1024;
const TIMEOUT_MS = 30 * 60_000;

/** Asks from a new process. @throws with what it printed when it fails. */
export async function askIn(
  folder: string,
  subject: Subject,
  { maxTimes, budgetMs }: AskOptions,
  names: readonly string[],
): Promise<Asking> {
  const args = [folder, subject, String(maxTimes), String(budgetMs), ...names];
  const child = Bun.spawn([process.execPath, import.meta.path, ...args], {
    stdout: "pipe",
    stderr: "inherit",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const printed = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`asking ${subject} failed: ${printed}`);
  return JSON.parse(printed.trimEnd().split("\n").at(-1) ?? "") as Asking;
}

function peakBytes(): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  return Number(kibibytes) * KIBIBYTE;
}

async function main(args: readonly string[]): Promise<void> {
  const [folder = "", name = "", maxTimes, budgetMs, ...names] = args;
  const subject = SUBJECTS.find((one) => one === name);
  if (subject === undefined) throw new Error(`no such subject: ${name}`);
  await prepare(subject);
  const started = performance.now();
  const answerer = await open(folder, subject);
  const openMs = performance.now() - started;
  const questions: AskedTimes[] = [];
  for (const question of names.map(questionOf)) {
    const times: number[] = [];
    let answer: AnsweredRow[] = [];
    const end = performance.now() + Number(budgetMs);
    while (times.length < Number(maxTimes) && (times.length < MIN_TIMES || performance.now() < end)) {
      const asked = performance.now();
      answer = await answerer.ask(question);
      times.push(performance.now() - asked);
    }
    questions.push({ name: question.name, times, answer: inOrder(answer) });
  }
  answerer.close();
  const asking: Asking = { openMs, peakBytes: peakBytes(), questions };
  console.log(JSON.stringify(asking));
}

if (import.meta.main) await main(process.argv.slice(2));
