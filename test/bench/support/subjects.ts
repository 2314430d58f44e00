/** What the load benchmarks attach to an interface: the agent, the classic design, and the tools that people use. */
import { join } from "node:path";
import { type RunningAgent, startAgent } from "../../lab/support/agent.ts";
import { type Lab, VETH } from "../../lab/support/lab.ts";
import { nextNumber } from "../../lab/support/namespace.ts";
import type { Program } from "../../lab/support/process.ts";
import { waitFor } from "../../lab/support/wait.ts";
import { ROOT } from "../../support/command.ts";

export const SUBJECTS = ["ours", "classic", "tcpdump", "softflowd"] as const;
export type SubjectName = (typeof SUBJECTS)[number];

const CLASSIC = join(ROOT, "test", "bench", "reference", "agent.ts");
const SOFTFLOW = join(ROOT, "dist", "tools", "usr", "sbin");
/** More than the connections of any run: its default of 8,192 would throw flows out. */
const SOFTFLOWD_FLOWS = 65_536;
/** Nobody listens there: the namespace's own loopback. */
const COLLECTOR = "127.0.0.1:9995";
/** The classic agent has a backlog of rows to write. */
const STOP_MS = 30_000;

/** What a subject says of its own losses. */
export interface SubjectEnd {
  /** Events or packets lost since it was attached; null where it does not say. */
  lost: number | null;
}

export interface Subject extends AsyncDisposable {
  name: SubjectName;
  pid: number;
  /** Only of ours. */
  agent: RunningAgent | null;
  /** Ends it. */
  stop(): Promise<SubjectEnd>;
}

function subject(name: SubjectName, program: Program, stop: () => Promise<SubjectEnd>): Subject {
  const { pid } = program;
  return {
    name,
    pid,
    agent: null,
    stop,
    async [Symbol.asyncDispose]() {
      await program.stop();
    },
  };
}

async function ours(lab: Lab, args: readonly string[]): Promise<Subject> {
  const agent = await startAgent(lab.server, lab.folder, { args: ["--quiet", ...args] });
  return {
    name: "ours",
    pid: agent.program.pid,
    agent,
    async stop() {
      await agent.stop();
      return { lost: null };
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

async function classic(lab: Lab): Promise<Subject> {
  const database = lab.path(`classic-${nextNumber()}.db`);
  const program = lab.server.spawn([process.execPath, CLASSIC, "--interface", VETH, "--db-path", database]);
  await program.printed(/^ready/m);
  return subject("classic", program, async () => {
    const { stdout, stderr } = await program.stop("SIGTERM", STOP_MS);
    const line = stdout.trimEnd().split("\n").at(-1) ?? "";
    if (!line.startsWith("{"))
      throw new Error(`the classic agent did not say what it lost: ${stdout}${stderr}`);
    const { lost }: { lost: number } = JSON.parse(line);
    return { lost };
  });
}

async function tcpdump(lab: Lab): Promise<Subject> {
  const program = lab.server.spawn(["tcpdump", "-n", "-i", VETH, "-w", "/dev/null"]);
  await program.printed(/listening on/);
  return subject("tcpdump", program, async () => {
    const { stderr } = await program.stop("SIGINT");
    return { lost: Number(/(\d+) packets? dropped by kernel/.exec(stderr)?.[1] ?? Number.NaN) };
  });
}

async function softflowd(lab: Lab): Promise<Subject> {
  const number = nextNumber();
  const [control, pidFile] = [lab.path(`softflowd-${number}.ctl`), lab.path(`softflowd-${number}.pid`)];
  const paths = ["-c", control, "-p", pidFile];
  const options = ["-d", "-i", VETH, "-n", COLLECTOR, "-m", String(SOFTFLOWD_FLOWS)];
  const program = lab.server.spawn([join(SOFTFLOW, "softflowd"), ...options, ...paths]);
  await waitFor(
    () => program.stderr.includes("starting data collection") || !program.running,
    () => `softflowd does not start: ${program.stderr}`,
  );
  return subject("softflowd", program, async () => {
    const { stdout } = await lab.server.exec([join(SOFTFLOW, "softflowctl"), "-c", control, "statistics"]);
    await program.stop();
    return { lost: Number(/dropped by libpcap: (\d+)/.exec(stdout)?.[1] ?? Number.NaN) };
  });
}

/**
 * Attaches one to the server's end of a lab and resolves when it is attached. `args` are options of ours. Dispose of it,
 * or stop it.
 */
export async function attach(name: SubjectName, lab: Lab, args: readonly string[] = []): Promise<Subject> {
  switch (name) {
    case "ours":
      return await ours(lab, args);
    case "classic":
      return await classic(lab);
    case "tcpdump":
      return await tcpdump(lab);
    case "softflowd":
      return await softflowd(lab);
  }
}
