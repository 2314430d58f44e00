/** iperf3 across a veth pair: what the host gets through with something attached at the receiving end. */
import { createLab, type Lab, type LabOptions } from "../../lab/support/lab.ts";
import { median } from "./measure.ts";
import { attach, type SubjectName } from "./subjects.ts";

export const STAGES = ["none", "ours", "classic"] as const satisfies readonly (SubjectName | "none")[];
export type StageName = (typeof STAGES)[number];

/** One kind of traffic. */
export interface Kind {
  name: string;
  lab: LabOptions;
  /** Arguments of the iperf3 client. */
  args: readonly string[];
  /** What is counted of what arrives in a second: bits of payload, or datagrams. */
  unit: "bits" | "datagrams";
}

export interface Throughput {
  kind: Kind;
  /** By round. */
  reached: Record<StageName, number[]>;
  /** Medians over the rounds of what was reached by what was reached with nothing attached in the same round. */
  kept: Record<Exclude<StageName, "none">, number>;
}

const PORT = 5201;
const SECONDS = "1";

interface Stage {
  name: StageName;
  lab: Lab;
}

interface Side {
  bits_per_second: number;
  packets?: number;
  lost_packets?: number;
  seconds: number;
}

async function measure({ client, server }: Lab, { args }: Kind): Promise<{ sent: Side; received: Side }> {
  const command = ["iperf3", "-c", server.ipv4, "-p", String(PORT), "-t", SECONDS, "-J", ...args];
  const { stdout } = await client.exec(command);
  const { end }: { end: { sum_sent: Side; sum_received: Side } } = JSON.parse(stdout);
  return { sent: end.sum_sent, received: end.sum_received };
}

function amount(unit: Kind["unit"], { sent, received }: { sent: Side; received: Side }): number {
  if (unit === "bits") return received.bits_per_second;
  return ((sent.packets ?? Number.NaN) - (received.lost_packets ?? Number.NaN)) / sent.seconds;
}

async function openStage(stack: AsyncDisposableStack, name: StageName, options: LabOptions): Promise<Stage> {
  const lab = stack.use(await createLab(options));
  const server = lab.server.spawn(["iperf3", "-s", "-p", String(PORT)]);
  await server.listening("tcp", PORT);
  if (name !== "none") stack.use(await attach(name, lab));
  return { name, lab };
}

function keptOf(reached: Throughput["reached"], name: StageName): number {
  return median(reached[name].map((value, round) => value / (reached.none[round] ?? Number.NaN)));
}

/**
 * Measures several kinds of traffic that go through the same labs, a second each. All stages stand side by side and take
 * turns, forth and back, so that a slow moment of the machine hits all alike.
 */
export async function throughputs(kinds: readonly Kind[], rounds: number): Promise<Throughput[]> {
  await using stack = new AsyncDisposableStack();
  const results: Throughput[] = [];
  for (const [options, same] of Map.groupBy(kinds, ({ lab }) => lab)) {
    const stages: Stage[] = [];
    for (const name of STAGES) stages.push(await openStage(stack, name, options));
    for (const kind of same) {
      const reached: Throughput["reached"] = { none: [], ours: [], classic: [] };
      for (let round = 0; round < rounds; round++) {
        for (const { name, lab } of round % 2 === 0 ? stages : stages.toReversed()) {
          reached[name].push(amount(kind.unit, await measure(lab, kind)));
        }
      }
      const kept = { ours: keptOf(reached, "ours"), classic: keptOf(reached, "classic") };
      results.push({ kind, reached, kept });
    }
  }
  return results;
}
