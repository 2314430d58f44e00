/** The executable under test, run as the agent inside a guest. */
import {
  type LiveAnswer,
  type LiveConnection,
  metricSum,
  type StatsAnswer,
} from "../../lab/support/answers.ts";
import { waitFor } from "../../lab/support/wait.ts";
import type { Amount } from "./kernel.ts";
import { Background, type Ended, run } from "./programs.ts";

export const BINARY = "/ayaflow";
const PORT = 3000;
/** An emulated machine is slow, and many may share a processor. */
export const PATIENCE_MS = 180_000;
let number = 0;

export interface AgentOptions {
  interfaces: string;
  args?: readonly string[];
  dbPath?: string;
  /** Take /sys away from it, and BTF with that. */
  withoutSys?: boolean;
}

/** Counters of one interface as the agent has them, by direction. */
export interface Seen {
  rx: Amount;
  tx: Amount;
}

export class Agent {
  private constructor(
    private readonly namespace: string,
    private readonly program: Background,
    readonly dbPath: string,
  ) {}

  /** Starts it in a namespace and waits until its API answers. */
  static async start(namespace: string, options: AgentOptions): Promise<Agent> {
    const dbPath = options.dbPath ?? `/tmp/traffic-${++number}.db`;
    const args = ["--interface", options.interfaces, "--port", String(PORT), "--db-path", dbPath];
    const command = [BINARY, ...args, ...(options.args ?? [])];
    const inner = options.withoutSys
      ? ["sh", "-c", 'umount -l /sys && exec "$@"', "sh", ...command]
      : command;
    const program = new Background(["ip", "netns", "exec", namespace, ...inner]);
    const agent = new Agent(namespace, program, dbPath);
    await waitFor(
      async () => {
        if (!program.running) throw new Error(`the agent ended:\n${program.text}`);
        return (await agent.ask("/api/health", false)).code === 0;
      },
      () => `the agent's API does not answer:\n${program.text}`,
      PATIENCE_MS,
    );
    return agent;
  }

  /** Throws with all that the agent printed when it gives no answer, unless `check` is false. */
  private async ask(path: string, check = true): Promise<Ended> {
    const url = `http://127.0.0.1:${PORT}${path}`;
    const answer = await run(["ip", "netns", "exec", this.namespace, "/busybox/wget", "-qO-", url], false);
    if (!check || answer.code === 0) return answer;
    const state = this.program.running ? "runs" : "has ended";
    throw new Error(`${path}: ${answer.error.trim()}; the agent ${state}:\n${this.program.text}`);
  }

  /** What it printed. */
  get text(): string {
    return this.program.text;
  }

  /** How it says it attached to the first interface. */
  get method(): string {
    return /"?method"?[=:]\s*"?(\w+)/.exec(this.program.text)?.[1] ?? "unknown";
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse((await this.ask(path)).out) as T;
  }

  stats(): Promise<StatsAnswer> {
    return this.get("/api/stats");
  }

  live(query = ""): Promise<LiveAnswer> {
    return this.get(`/api/live?limit=1000${query}`);
  }

  async seen(name: string): Promise<Seen & { notIp: Amount }> {
    const metrics = (await this.ask("/metrics")).out;
    const sum = (what: string, direction: string) =>
      metricSum(metrics, `ayaflow_${what}_total`, `interface="${name}"`, direction);
    const amount = (prefix: string, direction: string): Amount => ({
      packets: sum(`${prefix}packets`, direction),
      bytes: sum(`${prefix}bytes`, direction),
    });
    return {
      rx: amount("", 'direction="ingress"'),
      tx: amount("", 'direction="egress"'),
      notIp: amount("not_ip_", ""),
    };
  }

  /** Waits until a connection on `port` is as wanted; throws with the last that was there. */
  async connection(port: number, isReady: (one: LiveConnection) => boolean): Promise<LiveConnection> {
    let last: LiveConnection[] = [];
    return await waitFor(
      async () => {
        last = (await this.live(`&port=${port}`)).connections;
        return last.find(isReady);
      },
      () => `no such connection on port ${port}: ${JSON.stringify(last)}`,
      PATIENCE_MS,
    );
  }

  /** Ends it; resolves to its exit code, null where the signal killed it. */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    return this.program.end(signal);
  }
}
