/** The agent itself, run inside a namespace. */
import { join } from "node:path";
import { ROOT } from "../../support/command.ts";
import { VETH, type End } from "./lab.ts";
import { nextNumber } from "./namespace.ts";
import type { ExecResult, Program } from "./process.ts";
import { openRelay, type Relay } from "./relay.ts";
import { waitFor } from "./wait.ts";

export const BINARY = join(ROOT, "dist", "ayaflow");
const PORT = 3000;

export interface AgentOptions {
  /** Added to `--interface veth0`, `--port` and `--db-path`, so that a later one wins. */
  args?: readonly string[];
  env?: Record<string, string>;
  /** What to run: the executable unless given. */
  command?: readonly string[];
  dbPath?: string;
  /** The port that `args` give it, where it is another than 3000. */
  port?: number;
}

export interface RunningAgent extends AsyncDisposable {
  program: Program;
  dbPath: string;
  /** Reaches the API from outside the namespace. */
  url: string;
  /** GETs a path as JSON; throws on any other status than 200. */
  get<T>(path: string): Promise<T>;
  /** GETs a path as text. */
  text(path: string): Promise<string>;
  /** Ends it and tells its exit code and what it printed. */
  stop(signal?: NodeJS.Signals): Promise<ExecResult>;
}

async function fetchOk(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}: ${await response.text()}`);
  return response;
}

/** Whether it answers; throws what it printed when it has ended instead. */
async function answers(program: Program, relay: Relay): Promise<boolean> {
  if (!program.running) throw new Error(`the agent ended: ${(await program.exited()).stderr}`);
  const response = await fetch(`${relay.url}/api/health`).catch(() => null);
  return response !== null;
}

/** Starts the agent on `veth0` of one end and waits until its API answers. `folder` is the lab's. */
export async function startAgent(
  end: End,
  folder: string,
  options: AgentOptions = {},
): Promise<RunningAgent> {
  const number = nextNumber();
  const dbPath = options.dbPath ?? join(folder, `traffic-${number}.db`);
  const fixed = ["--interface", VETH, "--port", String(PORT), "--db-path", dbPath];
  const program = end.spawn(
    [...(options.command ?? [BINARY]), ...fixed, ...(options.args ?? [])],
    options.env,
  );
  const relay = await openRelay(end.namespace, options.port ?? PORT, join(folder, `api-${number}.sock`));
  await waitFor(
    () => answers(program, relay),
    () => `the agent's API does not answer: ${program.stderr}`,
  );
  const close = async (signal?: NodeJS.Signals) => {
    await relay[Symbol.asyncDispose]();
    return await program.stop(signal);
  };
  return {
    program,
    dbPath,
    url: relay.url,
    get: async <T>(path: string) => (await (await fetchOk(relay.url + path)).json()) as T,
    text: async (path) => await (await fetchOk(relay.url + path)).text(),
    stop: close,
    async [Symbol.asyncDispose]() {
      await close();
    },
  };
}
