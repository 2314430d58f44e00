/**
 * The questions asked of a running agent whose history is the month, while it captures: `bun questions-load.ts SECONDS
 * URL...` asks each in turn until time is up, and prints the milliseconds as JSON, by URL.
 */
import { constants, copyFileSync } from "node:fs";
import { startAgent } from "../../lab/support/agent.ts";
import { createLab } from "../../lab/support/lab.ts";
import { generate, SMALL_FRAME, writeConnections } from "./generator.ts";
import { accountFor, type OwnAccount } from "./load-run.ts";
import { memoryUse } from "./memory.ts";
import { type Cost, costOf } from "./process-cost.ts";
import { type AskedQuestion, QUESTIONS } from "./questions-asked.ts";

const CONNECTIONS = 10_000;
const RATE = 100_000;
const WARM_UP_SECONDS = 12;
/** The generator goes on for so long after the last question. */
const REST_SECONDS = 3;
const URL_INSIDE = "http://127.0.0.1:3000";
/** Rows are kept whatever their age: the month is over. */
const KEEPING = ["--data-retention", "0", "--max-db-size", "100GB"];

export interface AskedUnderLoad {
  name: string;
  /** Milliseconds until the answer was read. */
  times: number[];
}

export interface LoadedQuestions {
  seconds: number;
  /** Packets a second that were sent. */
  achieved: number;
  account: OwnAccount;
  cost: Cost;
  /** Bytes of memory of the agent before and after the questions. */
  before: { rss: number; anonymous: number };
  after: { rss: number; anonymous: number };
  questions: AskedUnderLoad[];
}

/** Those that the API answers as groups or points. */
const ASKED = QUESTIONS.filter(({ groupBy }) => groupBy.length > 0);

function urlOf({ sinceMs, untilMs, groupBy, limit, stepMs, filter }: AskedQuestion): string {
  const parameters = new URLSearchParams({
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    ...(filter === undefined ? {} : { q: filter.text }),
    ...(limit === null ? {} : { limit: String(limit) }),
    by: groupBy.join(","),
    ...(stepMs === undefined ? {} : { step: String(stepMs / 1000) }),
  });
  return `${URL_INSIDE}/api/${stepMs === undefined ? "top" : "timeseries"}?${parameters.toString()}`;
}

/** Asks the agent of a copy of the history `file` for `seconds` seconds, RATE packets a second passing it. */
export async function askUnderLoad(file: string, seconds: number): Promise<LoadedQuestions> {
  await using lab = await createLab();
  const dbPath = lab.path("month.db");
  copyFileSync(file, dbPath, constants.COPYFILE_FICLONE);
  const traffic = await writeConnections(lab.path("questions.pcap"), CONNECTIONS, SMALL_FRAME);
  await using agent = await startAgent(lab.server, lab.folder, { dbPath, args: ["--quiet", ...KEEPING] });
  await generate(lab.client, { file: traffic, amount: { seconds: WARM_UP_SECONDS }, rate: RATE });
  const before = memoryUse(agent.program.pid);
  const command = [process.execPath, import.meta.path, String(seconds), ...ASKED.map(urlOf)];
  const { result, account } = await accountFor(lab, agent, () =>
    costOf(agent.program.pid, async () => {
      const load = { file: traffic, amount: { seconds: seconds + REST_SECONDS }, rate: RATE };
      const timeoutMs = (seconds + REST_SECONDS) * 2000;
      const asking = lab.server.exec(command, { timeoutMs });
      const [sent, asked] = await Promise.all([generate(lab.client, load), asking]);
      return { sent, times: JSON.parse(asked.stdout) as Record<string, number[]> };
    }),
  );
  const { sent, times } = result.result;
  return {
    seconds: result.cost.seconds,
    achieved: sent.perSecond,
    account,
    cost: result.cost,
    before,
    after: memoryUse(agent.program.pid),
    questions: ASKED.map((question) => ({ name: question.name, times: times[urlOf(question)] ?? [] })),
  };
}

async function main([seconds, ...urls]: readonly string[]): Promise<void> {
  const times: Record<string, number[]> = Object.fromEntries(urls.map((url) => [url, []]));
  const end = performance.now() + Number(seconds) * 1000;
  while (performance.now() < end) {
    for (const url of urls) {
      const started = performance.now();
      const response = await fetch(url);
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${url}: HTTP ${response.status}: ${text}`);
      times[url]?.push(performance.now() - started);
    }
  }
  console.log(JSON.stringify(times));
}

if (import.meta.main) await main(process.argv.slice(2));
