/**
 * `npm run demo`: real programs talk across a veth pair between two network namespaces, AyaFlow watches one end.
 * `--keep` goes on until Ctrl-C; `--seconds N` for another length. Exit code 0 when all numbers agree.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { errorMessage } from "../../src/errors.ts";
import { type RunningAgent, startAgent } from "../lab/support/agent.ts";
import type { LiveAnswer, StatsAnswer } from "../lab/support/answers.ts";
import { createLab, type Lab } from "../lab/support/lab.ts";
import { passThrough } from "../support/command.ts";
import { balanceLines, interfaceLines, lossLines, readWhenQuiet, serviceLine } from "./balance.ts";
import { createScreen, pictureLines, SHOWN } from "./screen.ts";
import { type Report, runService, SERVICES, startServers } from "./services.ts";

const MAX_LIVE = 10_000;
const EXIT_INTERRUPTED = 130;

interface Options {
  seconds: number;
  keep: boolean;
}

function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: { keep: { type: "boolean", default: false }, seconds: { type: "string", default: "15" } },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= 1)) throw new Error(`--seconds ${values.seconds}: give a number from 1 on`);
  return { seconds, keep: values.keep };
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function introduce(agent: RunningAgent, options: Options): void {
  say(
    "AyaFlow watches veth0 in a network namespace while curl, dig, openssl and iperf3 talk across it.",
    "",
    `  live connections   curl '${agent.url}/api/live?limit=5&sort=rate'`,
    `  totals             curl '${agent.url}/api/stats'`,
    `  DNS lookups        curl '${agent.url}/api/dns?limit=5'`,
    `  traffic by name    curl '${agent.url}/api/domains'`,
    `  history            curl '${agent.url}/api/history?limit=5'`,
    `  Prometheus         curl '${agent.url}/metrics'`,
    "",
    options.keep
      ? "Until Ctrl-C."
      : `For ${options.seconds} seconds; npm run demo -- --keep goes on until Ctrl-C.`,
  );
}

/** Shows a picture each second until `stop`. */
async function watch(agent: RunningAgent, stop: AbortSignal): Promise<void> {
  const show = createScreen(process.stdout);
  for (let second = 1; ; second++) {
    await delay(1000, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    const stats = await agent.get<StatsAnswer>("/api/stats");
    const { connections } = await agent.get<LiveAnswer>(`/api/live?limit=${SHOWN}&sort=rate`);
    show(pictureLines({ second, stats, connections }));
  }
}

/** Runs all clients and the picture until `stop`; the first failure stops the others. */
async function runTraffic(lab: Lab, agent: RunningAgent, stop: AbortSignal): Promise<Report[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([stop, failed.signal]);
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      failed.abort();
      throw error;
    }
  };
  const [reports] = await Promise.all([
    Promise.all(SERVICES.map((service) => guarded(runService(service, lab, either)))),
    guarded(watch(agent, either)),
  ]);
  return reports;
}

/** What `work` gives, or null as soon as `signal` is aborted. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | null> {
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  return await Promise.race([work, aborted]);
}

/** The whole demo; true when every number agrees, null when it was interrupted before the end. */
async function demo(options: Options, interrupted: AbortSignal): Promise<boolean | null> {
  await using lab = await createLab({ ipv6: true });
  if (interrupted.aborted) return null;
  await startServers(lab);
  // Nothing is retired while it runs, so that the connections can be added up at the end.
  await using agent = await startAgent(lab.server, lab.folder, {
    args: ["--connection-timeout", "86400", "--deep-inspect"],
  });
  introduce(agent, options);
  const before = await unlessAborted(interrupted, readWhenQuiet(agent, lab.server));
  if (before === null) return null;
  const timer = AbortSignal.timeout(options.seconds * 1000);
  const stop = options.keep ? interrupted : AbortSignal.any([interrupted, timer]);
  const reports = await runTraffic(lab, agent, stop);
  if (interrupted.aborted && !options.keep) return null;

  const after = await readWhenQuiet(agent, lab.server);
  const live = await agent.get<LiveAnswer>(`/api/live?limit=${MAX_LIVE}`);
  const kernel = [...interfaceLines(before, after), ...lossLines(after.stats, live)];
  const programs = SERVICES.map((service, index) =>
    serviceLine(service, reports[index] ?? { requests: 0, bytes: 0 }, live),
  );
  say(...balanceLines(["", "KERNEL'S COUNTERS", "AYAFLOW"], kernel));
  say(...balanceLines(["", "THE PROGRAM'S REPORT", "AYAFLOW"], programs));
  return [...kernel, ...programs].every((line) => line.agrees);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt.abort());
  if ((await passThrough(["bun", "build.ts"])) !== 0) return 1;
  if (interrupt.signal.aborted) return EXIT_INTERRUPTED;
  const agrees = await demo(options, interrupt.signal);
  if (agrees === null) {
    say("", "Interrupted. All cleaned up.");
    return EXIT_INTERRUPTED;
  }
  say("", agrees ? "Seen = sent. All cleaned up." : "The numbers differ: please report this.");
  return agrees ? 0 : 1;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`demo: ${errorMessage(error)}\n`);
  process.exit(1);
}
