/** How long the agent takes from its start until it counts, and until it answers. */
import { join } from "node:path";
import { BINARY } from "../../lab/support/agent.ts";
import { createLab, type Lab, VETH } from "../../lab/support/lab.ts";
import type { Program } from "../../lab/support/process.ts";
import { waitFor } from "../../lab/support/wait.ts";
import { openRelay } from "../../lab/support/relay.ts";

const PORT = 3000;
const POLL_MS = 1;
/** What the agent logs once its programs are attached, and once all is up. */
const ATTACHED = "watching";
const READY = / ready /;

export interface StartTime {
  /** Milliseconds from the spawn, `ip netns exec` included, to the log line that says so. */
  attachedMs: number;
  /** To the end of the first answer of the API, asked from the moment it was attached. */
  answeredMs: number;
}

/** Starts the agent as a user does, without asking anything of it. */
export function spawnAgent(lab: Lab, name: string, args: readonly string[] = []): Program {
  const database = join(lab.folder, `${name}.db`);
  const fixed = ["--interface", VETH, "--port", String(PORT), "--db-path", database];
  return lab.server.spawn([BINARY, ...fixed, ...args]);
}

/** The same, once it has logged that it is ready. */
export async function readyAgent(lab: Lab, name: string, args: readonly string[] = []): Promise<Program> {
  const program = spawnAgent(lab, name, args);
  await program.printed(READY);
  return program;
}

/** Milliseconds of `count` starts, one after the other, each with a new database. */
export async function startTimes(count: number): Promise<StartTime[]> {
  await using lab = await createLab();
  await using relay = await openRelay(lab.server.namespace, PORT, lab.path("api.sock"));
  const times: StartTime[] = [];
  while (times.length < count) {
    const started = performance.now();
    await using program = spawnAgent(lab, `start-${times.length}`);
    while (program.running && !program.stderr.includes(ATTACHED)) await Bun.sleep(POLL_MS);
    const attachedMs = performance.now() - started;
    await waitFor(
      () =>
        fetch(`${relay.url}/api/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      () => `the agent does not answer: ${program.stderr}`,
    );
    times.push({ attachedMs, answeredMs: performance.now() - started });
  }
  return times;
}
