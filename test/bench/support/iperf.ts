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
  /** Of the rounds in which it was measured. */
  reached: Record<StageName, number[]>;
  /** Medians over the rounds of what was reached by what was reached with nothing attached in the same round. */
  kept: Record<Exclude<StageName, "none">, number>;
}

const PORT = 5201;
const SECONDS = "1";

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

/** A second of `kind` with a subject attached for as long. */
async function measureWith(name: StageName, lab: Lab, kind: Kind): Promise<number> {
  if (name === "none") return amount(kind.unit, await measure(lab, kind));
  await using _attached = await attach(name, lab);
  return amount(kind.unit, await measure(lab, kind));
}

/** The classic design is there for orientation: a third of the rounds do. */
const CLASSIC_EVERY = 3;

function stagesOf(round: number): StageName[] {
  const stages = STAGES.filter((name) => name !== "classic" || round % CLASSIC_EVERY === 0);
  return round % 2 === 0 ? stages : stages.toReversed();
}

/** Median over the rounds of what a stage reached by what was reached with nothing attached in the same round. */
function keptOf(rounds: readonly Map<StageName, number>[], name: StageName): number {
  return median(
    rounds.flatMap((round) => {
      const [value, bare] = [round.get(name), round.get("none")];
      return value === undefined || bare === undefined ? [] : [value / bare];
    }),
  );
}

/**
 * Measures several kinds of traffic, a second at a time, on one veth pair a kind of lab: with nothing attached and with
 * each subject in turn, forth and back, so that a slow moment of the machine, and the place of the pair in it, hit all alike.
 */
export async function throughputs(kinds: readonly Kind[], count: number): Promise<Throughput[]> {
  const results: Throughput[] = [];
  for (const [options, same] of Map.groupBy(kinds, ({ lab }) => lab)) {
    await using lab = await createLab(options);
    await using server = lab.server.spawn(["iperf3", "-s", "-p", String(PORT)]);
    await server.listening("tcp", PORT);
    for (const kind of same) {
      const rounds: Map<StageName, number>[] = [];
      for (let round = 0; round < count; round++) {
        const reached = new Map<StageName, number>();
        for (const name of stagesOf(round)) reached.set(name, await measureWith(name, lab, kind));
        rounds.push(reached);
      }
      const values = (name: StageName) => rounds.flatMap((round) => round.get(name) ?? []);
      results.push({
        kind,
        reached: { none: values("none"), ours: values("ours"), classic: values("classic") },
        kept: { ours: keptOf(rounds, "ours"), classic: keptOf(rounds, "classic") },
      });
    }
  }
  return results;
}
