import { AyaflowError, UsageError } from "../errors.ts";
import { escapeControl } from "../log.ts";
import { AgentClient, AskError } from "./client.ts";
import { problemOf } from "./filter-line.ts";
import { checkTerminal, looksOf } from "./fitness.ts";
import { Session } from "./session.ts";
import { initialState } from "./state.ts";
import type { TopOptions } from "./types.ts";

/** Why it cannot begin, for who typed the command. */
function startError(error: unknown, { url, token }: TopOptions): unknown {
  if (!(error instanceof AskError)) return error;
  const why = escapeControl(error.message);
  switch (error.failure) {
    case "unauthorized": {
      const what = token === null ? "wants its token" : "does not take this token";
      const how = "give the file with it as --token-file, or the token itself in AYAFLOW_API_TOKEN";
      return new AyaflowError(`the agent at ${url} ${what}: ${how}`, { cause: error });
    }
    case "unreachable":
      return new AyaflowError(
        `the agent at ${url} does not answer: ${why}. Is it running? --url names another`,
        { cause: error },
      );
    case "bad-request":
    case "not-found":
    case "other":
      return new AyaflowError(`the agent at ${url}: ${why}`, { cause: error });
  }
}

/**
 * Shows the running agent's traffic on the whole terminal until it is quit. Returns the exit code: 0, or 130 for
 * Ctrl-C. Throws UsageError without a terminal that can show it or for a wrong filter, AyaflowError when no agent
 * answers at the start or it does not take the token.
 */
export async function top(options: TopOptions): Promise<number> {
  checkTerminal(process.env, { stdin: process.stdin.isTTY, stdout: process.stdout.isTTY });
  const problem = problemOf(options.filter);
  if (problem !== null)
    throw new UsageError([`filter: ${problem.message}, at character ${(problem.position?.at ?? 0) + 1}`]);
  const agent = new AgentClient(options.url, options.token);
  const size = { columns: process.stdout.columns, rows: process.stdout.rows };
  const state = initialState(agent.url, looksOf(options, process.env), size, options.filter);
  const session = new Session(agent, options.intervalMs, state);
  try {
    await session.start();
    // With DEV=true Ink would look for React's developer tools when it is loaded.
    delete process.env.DEV;
    // Only once there is something to show.
    const { show } = await import("./show.tsx");
    return await show(session);
  } catch (error) {
    throw startError(error, options);
  } finally {
    session.stop();
  }
}
