/** What the agents at both ends of a lab call the connections between them. */
import { expect } from "bun:test";
import { type AgentOptions, type RunningAgent, startAgent } from "./agent.ts";
import type { LiveConnection } from "./answers.ts";
import type { Lab } from "./lab.ts";
import { waitFor } from "./wait.ts";

/** The ends of a lab: what one sends, the other receives. */
export const ENDS = ["client", "server"] as const;

export interface NamedConnection extends LiveConnection {
  domain: string | null;
  domain_source: string | null;
  alpn: string[];
  tls_version: string | null;
  ja4: string | null;
  ech: boolean;
}

export interface Lookup {
  transport: string;
  client: string;
  server: string;
  name: string;
  type: string;
  rcode: string | null;
  latency_ms: number | null;
  answers: string[];
  truncated: boolean;
}

export interface Watchers extends AsyncDisposable {
  client: RunningAgent;
  server: RunningAgent;
}

/** Agents at both ends, with deep inspection unless `args` are given. */
export async function watchBothEnds(lab: Lab, options: AgentOptions = {}): Promise<Watchers> {
  await using stack = new AsyncDisposableStack();
  const [client, server] = await Promise.all(
    ENDS.map((end) => startAgent(lab[end], lab.folder, { args: ["--deep-inspect"], ...options })),
  );
  if (client === undefined || server === undefined) throw new Error("an agent is missing");
  stack.use(client);
  stack.use(server);
  const owned = stack.move();
  return { client, server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Polls `read` until it gives `expected`, then compares, so that a failure shows both. */
export async function expectSoon<T>(read: () => Promise<T>, expected: T): Promise<void> {
  let last: T | undefined;
  const isThere = async () => Bun.deepEquals((last = await read()), expected);
  await waitFor(isThere, "").catch(() => undefined);
  expect(last).toEqual(expected);
}

/** The live connections to or from a port. */
export async function connectionsOn(agent: RunningAgent, port: number): Promise<NamedConnection[]> {
  const path = `/api/live?port=${port}&limit=1000`;
  return (await agent.get<{ connections: NamedConnection[] }>(path)).connections;
}

/** Each value once, in the order of their texts. */
function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value] as const))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value);
}

/** Waits until `pick` gives `expected` for the connections on `port` at both ends: none is missing, none is left over. */
export async function expectNames<T>(
  watchers: Watchers,
  port: number,
  pick: (connection: NamedConnection) => T,
  expected: readonly T[],
): Promise<void> {
  for (const end of ENDS) {
    const read = async () => ({
      end,
      connections: distinct((await connectionsOn(watchers[end], port)).map(pick)),
    });
    await expectSoon(read, { end, connections: distinct(expected) });
  }
}

/** The lookups that an agent has seen, oldest first. */
export async function lookupsOf(agent: RunningAgent): Promise<Lookup[]> {
  const { lookups } = await agent.get<{ lookups: Lookup[] }>("/api/dns?limit=1000");
  return lookups.toReversed();
}

export interface DomainTotals {
  domain: string;
  bytes: number;
  packets: number;
  sources: Record<string, number>;
}

/** The traffic by name that history has, in the order of the names. */
export async function domainsOf(agent: RunningAgent): Promise<DomainTotals[]> {
  const { domains } = await agent.get<{ domains: DomainTotals[] }>("/api/domains?limit=1000");
  return domains.toSorted((a, b) => (a.domain < b.domain ? -1 : 1));
}
