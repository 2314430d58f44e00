/** A container with the agent, in a namespace of a lab. */
import { liveSum, type LiveAnswer, metricSum, type StatsAnswer } from "../../lab/support/answers.ts";
import { type Counted, interfaceCounters } from "../../lab/support/counters.ts";
import { type End, VETH } from "../../lab/support/lab.ts";
import { openRelay, type Relay } from "../../lab/support/relay.ts";
import { waitFor } from "../../lab/support/wait.ts";
import type { Store } from "./store.ts";

const PORT = 3000;
const START_MS = 30_000;

export interface Amount {
  packets: number;
  bytes: number;
}

/** An agent's API, reached from outside its namespace. */
export class Answers implements AsyncDisposable {
  private readonly relay: Relay;

  private constructor(relay: Relay) {
    this.relay = relay;
  }

  /** Waits until it answers; `log` says why it does not. */
  static async open(store: Store, end: End, log: () => Promise<string>): Promise<Answers> {
    const relay = await openRelay(end.namespace, PORT, store.path(`${end.namespace.name}.sock`));
    const answers = new Answers(relay);
    const health = () => fetch(`${relay.url}/api/health`).catch(() => null);
    try {
      await waitFor(health, "the agent's API does not answer", START_MS);
    } catch (error) {
      await relay[Symbol.asyncDispose]();
      throw new Error(await log(), { cause: error });
    }
    return answers;
  }

  async text(path: string): Promise<string> {
    const response = await fetch(this.relay.url + path);
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}: ${await response.text()}`);
    return await response.text();
  }

  async stats(): Promise<StatsAnswer> {
    return JSON.parse(await this.text("/api/stats")) as StatsAnswer;
  }

  /** What the agent counted on veth0, once it has seen `packets`: in all, and summed over connections and what is none. */
  async seen(packets: number): Promise<{ total: Amount; summed: Amount }> {
    const total = await waitFor(
      async () => {
        const metrics = await this.text("/metrics");
        const sum = (name: string) => metricSum(metrics, `ayaflow_${name}_total`, `interface="${VETH}"`);
        const found = { packets: sum("packets"), bytes: sum("bytes"), notIp: sum("not_ip_packets") };
        return found.packets >= packets ? { ...found, notIpBytes: sum("not_ip_bytes") } : null;
      },
      () => `the agent did not see ${packets} packets`,
      START_MS,
    );
    const live = liveSum(JSON.parse(await this.text(`/api/live?limit=10000&q=iface+${VETH}`)) as LiveAnswer);
    return {
      total: { packets: total.packets, bytes: total.bytes },
      summed: { packets: live.packets + total.notIp, bytes: live.bytes + total.notIpBytes },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay[Symbol.asyncDispose]();
  }
}

/** All that crossed the interface, by its own counters. */
export async function crossed(end: End): Promise<Amount> {
  const { rxPackets, txPackets, rxBytes, txBytes }: Counted = await interfaceCounters(end.namespace, VETH);
  return { packets: rxPackets + txPackets, bytes: rxBytes + txBytes };
}

export interface Running extends AsyncDisposable {
  id: string;
  pid: number;
  answers: Answers;
}

/** `podman run` with these flags, image and arguments, in the namespace of `end`. */
export async function startContainer(store: Store, end: End, args: readonly string[]): Promise<Running> {
  const network = `ns:/run/netns/${end.namespace.name}`;
  const { stdout } = await store.podman(["run", "--detach", "--network", network, ...args]);
  const id = stdout.trim();
  const remove = () => store.podman(["rm", "--force", "--time", "5", id]);
  const log = async () => {
    const { stdout: out, stderr } = await store.podman(["logs", id], { check: false });
    return `${out}${stderr}`;
  };
  try {
    const answers = await Answers.open(store, end, log);
    const inspected = await store.podman(["inspect", "--format", "{{.State.Pid}}", id]);
    return {
      id,
      pid: Number(inspected.stdout),
      answers,
      async [Symbol.asyncDispose]() {
        await answers[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
