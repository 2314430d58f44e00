import { AyaflowError, EXIT_FAILURE, errorMessage } from "../errors.ts";
import { escapeControl } from "../log.ts";
import type { AgentTarget } from "./ask-target.ts";
import type { CommandIo } from "./command-io.ts";

const ANSWER_MS = 3000;
/** Many times what an agent answers, so that what is none cannot fill memory. */
const MAX_BYTES = 256 * 1024;
const UNAUTHORIZED = 401;

interface Health {
  status: "ok" | "degraded";
  connections: number;
  reasons: string[];
}

/** The body of `/api/health`; null for anything else. By hand: a schema library costs a probe a third of its time. */
export function readHealth(text: string): Health | null {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof body !== "object" || body === null) return null;
  const { status, active_connections: connections, reasons }: Record<string, unknown> = { ...body };
  if (status !== "ok" && status !== "degraded") return null;
  if (typeof connections !== "number" || !Array.isArray(reasons)) return null;
  return { status, connections, reasons: reasons.map(String) };
}

/** The whole body, as text. @throws Error when it is longer than any agent's. */
async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error("it answers more than an agent does");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${ANSWER_MS / 1000} s`;
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "ConnectionRefused" || code === "ECONNREFUSED" ? "connection refused" : errorMessage(error);
}

/** @throws AyaflowError for whatever is not the answer of a running agent. */
async function askHealth({ url, token }: AgentTarget): Promise<Health> {
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${url}/api/health`, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(ANSWER_MS),
      // A redirect would take the token elsewhere.
      redirect: "error",
    });
    ({ status } = response);
    text = await bodyOf(response);
  } catch (error) {
    throw new AyaflowError(`no agent answers at ${url}: ${reasonOf(error)}`, { cause: error });
  }
  if (status === UNAUTHORIZED) {
    const remedy = "give --token-file or AYAFLOW_API_TOKEN, or start the agent with --health-public";
    throw new AyaflowError(
      `the agent at ${url} ${token === null ? "wants its token" : "does not take this token"}: ${remedy}`,
    );
  }
  const found = status === 200 ? readHealth(text) : null;
  if (found === null)
    throw new AyaflowError(`what answers at ${url} is no healthy agent: HTTP status ${status}`);
  return found;
}

/**
 * `ayaflow health`: one line on how the running agent is. Returns 0 when it is well or degraded, 1 when `strict` and
 * degraded. @throws AyaflowError when none answers.
 */
export async function health(
  { strict }: { strict: boolean },
  agent: AgentTarget,
  io: CommandIo,
): Promise<number> {
  const { status, connections, reasons } = await askHealth(agent);
  const what = status === "ok" ? `${connections} active connections` : reasons.join("; ");
  io.out(`${status}: ${escapeControl(what)}\n`);
  await io.flush();
  return strict && status === "degraded" ? EXIT_FAILURE : 0;
}
