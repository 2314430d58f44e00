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

/** The classic design is there for orientation: a third of the rounds do. */
const CLASSIC_EVERY = 3;
/** What a program does at its start competes with iperf3 for the processors. */
const SETTLE_MS = 3000;

interface Stage {
  name: StageName;
  lab: Lab;
}

async function openLab(stack: AsyncDisposableStack, options: LabOptions): Promise<Lab> {
  const lab = stack.use(await createLab(options));
  const server = stack.use(lab.server.spawn(["iperf3", "-s", "-p", String(PORT)]));
  await server.listening("tcp", PORT);
  return lab;
}

async function measureRound(
  stages: readonly Stage[],
  kind: Kind,
  round: number,
): Promise<Map<StageName, number>> {
  const used = stages.filter(({ name }) => name !== "classic" || round % CLASSIC_EVERY === 0);
  const reached = new Map<StageName, number>();
  for (const { name, lab } of round % 2 === 0 ? used : used.toReversed()) {
    reached.set(name, amount(kind.unit, await measure(lab, kind)));
  }
  return reached;
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

function resultOf(kind: Kind, rounds: readonly Map<StageName, number>[]): Throughput {
  const values = (name: StageName) => rounds.flatMap((round) => round.get(name) ?? []);
  return {
    kind,
    reached: { none: values("none"), ours: values("ours"), classic: values("classic") },
    kept: { ours: keptOf(rounds, "ours"), classic: keptOf(rounds, "classic") },
  };
}

/**
 * Measures several kinds of traffic, a second at a time, `count` rounds each. Stages stand side by side and take turns,
 * forth and back, so that a slow moment of the machine hits all alike; half way the pair with nothing attached and that
 * with the agent change places, as a pair's own place makes a difference.
 */
export async function throughputs(kinds: readonly Kind[], count: number): Promise<Throughput[]> {
  const results: Throughput[] = [];
  for (const [options, same] of Map.groupBy(kinds, ({ lab }) => lab)) {
    await using stack = new AsyncDisposableStack();
    const [first, second, third] = [
      await openLab(stack, options),
      await openLab(stack, options),
      await openLab(stack, options),
    ];
    stack.use(await attach("classic", third));
    const rounds = new Map<Kind, Map<StageName, number>[]>(same.map((kind) => [kind, []]));
    for (const [bare, watched] of [
      [first, second],
      [second, first],
    ] as const) {
      await using _attached = await attach("ours", watched);
      await Bun.sleep(SETTLE_MS);
      const stages: Stage[] = [
        { name: "none", lab: bare },
        { name: "ours", lab: watched },
        { name: "classic", lab: third },
      ];
      for (const [kind, measured] of rounds) {
        for (let round = 0; round < count / 2; round++)
          measured.push(await measureRound(stages, kind, round));
      }
    }
    for (const [kind, measured] of rounds) results.push(resultOf(kind, measured));
  }
  return results;
}
