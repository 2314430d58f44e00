/** `ayaflow top` in a lab: an agent with something to show, and what is on the screen. */
import { BINARY, type RunningAgent, startAgent } from "./agent.ts";
import { connectionOf } from "./answers.ts";
import type { Lab } from "./lab.ts";
import { SIZED_SERVER } from "./sized-server.ts";
import { Tmux, type TmuxOptions } from "./tmux.ts";

export const AGENT_URL = "http://127.0.0.1:3000";
export const TOP = `${BINARY} top --url ${AGENT_URL}`;
export const AGENT_ARGS = ["--deep-inspect", "--aggregation-window", "1"];
/** Name, port and bytes of each download, the largest first. */
export const DOWNLOADS = [
  { name: "big.example", port: 8001, bytes: 5_000_000 },
  { name: "middle.example", port: 8002, bytes: 300_000 },
  { name: "small.example", port: 8003, bytes: 1000 },
] as const;
const ROW = /^[ \u203a>]10\.77\.0\.1:\d+ +(\S+?):\d+ /;

export async function download(
  { client, server }: Lab,
  { name, port, bytes }: (typeof DOWNLOADS)[number],
): Promise<void> {
  const url = `http://${server.ipv4}:${port}/${bytes}`;
  await client.exec(["curl", "-sS", "--fail", "-o", "/dev/null", "-H", `Host: ${name}`, url]);
}

/** An agent that has seen the three downloads. */
export async function watchDownloads(lab: Lab, args: readonly string[] = []): Promise<RunningAgent> {
  const ports = DOWNLOADS.map(({ port }) => port);
  const server = lab.server.spawn([process.execPath, SIZED_SERVER, ...ports.map(String)]);
  for (const port of ports) await server.listening("tcp", port);
  const agent = await startAgent(lab.server, lab.folder, { args: [...AGENT_ARGS, ...args] });
  for (const one of DOWNLOADS) await download(lab, one);
  for (const { port, name } of DOWNLOADS) await connectionOf(agent, port, ({ domain }) => domain === name);
  return agent;
}

/** A terminal where the agent runs. */
export const openTerminal = (lab: Lab, options?: TmuxOptions): Promise<Tmux> =>
  Tmux.open(lab.server, lab.folder, options);

/** The servers' names in the rows of connections, from the top. */
export function serversOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => ROW.exec(line)?.[1] ?? []);
}
