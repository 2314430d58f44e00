/** What the agent says of the interfaces that it follows. */
import type { RunningAgent } from "./agent.ts";
import { metricSum, type StatsAnswer } from "./answers.ts";
import { waitFor } from "./wait.ts";

/** Names of the interfaces that it shows now, in order. */
export async function watchedBy(agent: RunningAgent): Promise<string[]> {
  const { interfaces } = await agent.get<StatsAnswer>("/api/stats");
  return [...new Set(interfaces.map((one) => one.interface))].sort();
}

/** Waits until it watches exactly these. */
export async function untilWatched(agent: RunningAgent, ...names: string[]): Promise<void> {
  let last: string[] = [];
  await waitFor(
    async () => (last = await watchedBy(agent)).join() === names.toSorted().join(),
    () => `it watches ${last.join()}, not ${names.join()}: ${agent.program.stderr}`,
  );
}

/** Waits until it watches this one among others. */
export async function untilWatchedToo(agent: RunningAgent, name: string): Promise<void> {
  await waitFor(
    async () => (await watchedBy(agent)).includes(name),
    () => `it does not watch ${name}: ${agent.program.stderr}`,
  );
}

export async function changes(agent: RunningAgent, change: string): Promise<number> {
  return metricSum(await agent.text("/metrics"), "ayaflow_interface_changes_total", `change="${change}"`);
}

export async function untilChanges(agent: RunningAgent, change: string, count: number): Promise<void> {
  let last = 0;
  await waitFor(
    async () => (last = await changes(agent, change)) === count,
    () => `${change}: ${last} of ${count}: ${agent.program.stderr}`,
  );
}

/** Packets of one interface and direction, 0 where it shows none. */
export async function packetsOf(agent: RunningAgent, name: string, direction: string): Promise<number> {
  const { interfaces } = await agent.get<StatsAnswer>("/api/stats");
  return interfaces.find((one) => one.interface === name && one.direction === direction)?.packets ?? 0;
}

export async function healthOf(agent: RunningAgent): Promise<string> {
  const { status, reasons } = await agent.get<{ status: string; reasons: string[] }>("/api/health");
  return [status, ...reasons].join("; ");
}

/** Waits until health says `text`. */
export async function untilHealth(agent: RunningAgent, text: string): Promise<void> {
  let last = "";
  await waitFor(
    async () => (last = await healthOf(agent)).includes(text),
    () => `health says ${last}, not ${text}`,
  );
}
