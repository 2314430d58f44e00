import { isIPv6 } from "node:net";
import type { Environment } from "../config/environment.ts";
import { TOKEN_VARIABLE } from "../config/environment.ts";
import { type Files, systemFiles } from "../config/files.ts";
import type { LoadedConfig } from "../config/load.ts";
import { readToken } from "../config/token.ts";
import { UsageError } from "../errors.ts";

/** Options that say whom to ask. */
export interface AskFlags {
  url?: string;
  tokenFile?: string;
  db?: string;
}

/** An agent's API: its URL without a path, and the token it may want. */
export interface AgentTarget {
  url: string;
  token: string | null;
}

/** Whom to ask: what was named, else the agent of the configuration if it runs, else its database. */
export type AskTarget =
  | { kind: "agent"; agent: AgentTarget }
  | { kind: "file"; path: string }
  /** No agent where the configuration lets the system choose the port. */
  | { kind: "either"; agent: AgentTarget | null; path: string };

const ANY_ADDRESS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

function readUrl(text: string): string {
  const written = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.parse(written);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
  if (!isPlain) {
    throw new UsageError([`--url: ${JSON.stringify(text)} is no address of an agent; give http://host:port`]);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Where an agent of this configuration listens; null where the system chose the port. */
function configuredUrl({ config: { listen, port } }: LoadedConfig): string | null {
  const host = ANY_ADDRESS[listen] ?? listen;
  return port === 0 ? null : `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function tokenOfFile(path: string, files: Files): string | null {
  const { token, problems } = readToken({ place: "--token-file", path }, files);
  if (problems.length > 0) throw new UsageError(problems);
  return token;
}

/** The token for an agent that was named: the configuration's own is not for others. */
function tokenForUrl({ tokenFile }: AskFlags, env: Environment, files: Files): string | null {
  if (tokenFile !== undefined) return tokenOfFile(tokenFile, files);
  const text = env[TOKEN_VARIABLE];
  if (text === undefined || text === "") return null;
  const { token, problems } = readToken({ place: TOKEN_VARIABLE, text }, files);
  if (problems.length > 0) throw new UsageError(problems);
  return token;
}

/** The agent that `--url` names, else the one of the configuration. @throws UsageError for a bad URL or token. */
function agentTarget(
  flags: AskFlags,
  loaded: LoadedConfig,
  env: Environment,
  files: Files,
): AgentTarget | null {
  if (flags.url !== undefined) {
    return { url: readUrl(flags.url), token: tokenForUrl(flags, env, files) };
  }
  const url = configuredUrl(loaded);
  if (url === null) return null;
  const { tokenFile } = flags;
  return { url, token: tokenFile === undefined ? loaded.config.apiToken : tokenOfFile(tokenFile, files) };
}

/**
 * A proxy of the environment is not asked for an agent on this host.
 * Bun's fetch reads the variable when it is called.
 */
function withoutProxy(agent: AgentTarget): AgentTarget {
  const { hostname } = new URL(agent.url);
  if (!/^(?:localhost|127\..*|\[::1\])$/.test(hostname)) return agent;
  for (const name of ["NO_PROXY", "no_proxy"]) {
    const others = process.env[name];
    process.env[name] = others === undefined || others === "" ? hostname : `${others},${hostname}`;
  }
  return agent;
}

/** Whom the options name. @throws UsageError for a bad URL or token, and for both an agent and a file. */
export function resolveTarget(
  flags: AskFlags,
  loaded: LoadedConfig,
  env: Environment,
  files: Files = systemFiles,
): AskTarget {
  if (flags.db !== undefined) {
    if (flags.url !== undefined) throw new UsageError(["--url and --db: give one"]);
    return { kind: "file", path: flags.db };
  }
  const agent = agentTarget(flags, loaded, env, files);
  if (agent !== null) withoutProxy(agent);
  if (flags.url !== undefined && agent !== null) return { kind: "agent", agent };
  return { kind: "either", agent, path: loaded.config.dbPath };
}

/** The agent that the options name, or the configuration. @throws UsageError when neither says its port. */
export function resolveAgent(
  flags: AskFlags,
  loaded: LoadedConfig,
  env: Environment,
  files: Files = systemFiles,
): AgentTarget {
  const agent = agentTarget(flags, loaded, env, files);
  if (agent === null) throw new UsageError(["the configuration lets the system choose the port: give --url"]);
  return withoutProxy(agent);
}
