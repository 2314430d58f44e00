import { existsSync } from "node:fs";
import { AyaflowError } from "../errors.ts";
import { askAgent, type Parameters, probeAgent } from "./ask-agent.ts";
import type { AgentTarget, AskTarget } from "./ask-target.ts";

/** What answers questions of the API: an agent, or a database alone. */
export interface AskSource extends Disposable {
  /** For a person: where the answers come from. */
  readonly place: string;
  /** What to know of the answers; empty mostly. */
  readonly notes: readonly string[];
  /** An answer, 200 always. @throws UsageError, AyaflowError for what a person did or can do about it. */
  ask(path: string, parameters: Parameters): Promise<Response>;
  /** To be called when all answers were read. @throws AyaflowError when they may be nonsense. */
  check(): void;
}

function agentSource(agent: AgentTarget): AskSource {
  return {
    place: `the agent at ${agent.url}`,
    notes: [],
    ask: (path, parameters) => askAgent(agent, path, parameters),
    check: () => {},
    [Symbol.dispose]: () => {},
  };
}

async function fileSource(path: string): Promise<AskSource> {
  const { FileHistory } = await import("./ask-file.ts");
  const file = new FileHistory(path);
  return {
    place: `the database ${path}`,
    notes: file.notes,
    ask: (route, parameters) => file.ask(route, parameters),
    check: () => file.check(),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

/** An agent that answers, else the path of a database. */
export type Found = { kind: "agent"; agent: AgentTarget } | { kind: "file"; path: string };

/**
 * Who will answer: what was named; else the agent of the configuration if it runs, else its database.
 * @throws AyaflowError when there is neither, or the agent refuses.
 */
export async function findSource(target: AskTarget): Promise<Found> {
  if (target.kind !== "either") return target;
  const { agent, path } = target;
  const probed = agent === null ? null : await probeAgent(agent);
  if (probed?.is === "refused") throw probed.error;
  if (agent !== null && probed?.is === "agent") return { kind: "agent", agent };
  if (existsSync(path)) return { kind: "file", path };
  const why = probed?.is === "no" && agent !== null ? `no agent at ${agent.url} (${probed.why}) and ` : "";
  throw new AyaflowError(
    `${why}no database ${path}: start the agent, or name one with --url, or its database with --db`,
  );
}

/** Opens what answers. @throws AyaflowError when nothing does. */
export async function openSource(target: AskTarget): Promise<AskSource> {
  const found = await findSource(target);
  return found.kind === "agent" ? agentSource(found.agent) : await fileSource(found.path);
}
