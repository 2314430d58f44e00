/** How much of its speed a generator keeps with something attached at the other end of the veth pair. */
import { createLab, type Lab } from "../../lab/support/lab.ts";
import { generate, SMALL_FRAME, type TrafficFile, writeConnections } from "./generator.ts";
import { median } from "./measure.ts";
import { attach, SUBJECTS, type SubjectName } from "./subjects.ts";

/** What a generator reached with each subject attached, of the same rounds. */
export interface Capacity {
  connections: number;
  rounds: number;
  /** Packets a second with nothing attached, the median. */
  bare: number;
  /** Median over the rounds of what it reached by what it reached with nothing attached in the same round. */
  kept: Record<SubjectName, number>;
}

export interface CapacityPlan {
  connections: number;
  rounds: number;
  /** Of each run: a short one and its neighbours have the same weather. */
  packets: number;
}

const BARE = "nothing";
type StageName = typeof BARE | SubjectName;

/** One interface with one subject, or none, that stays attached: attaching anew would be most of a round's time. */
interface Stage {
  name: StageName;
  lab: Lab;
  /** Packets a second, by round. */
  reached: number[];
}

async function measure(stages: readonly Stage[], file: TrafficFile, plan: CapacityPlan): Promise<Capacity> {
  // The first pass opens the connections, and is no round.
  for (let round = -1; round < plan.rounds; round++) {
    for (const { lab, reached } of round % 2 === 0 ? stages : stages.toReversed()) {
      const { perSecond } = await generate(lab.client, { file, amount: { packets: plan.packets } });
      if (round >= 0) reached.push(perSecond);
    }
  }
  const speeds = (name: StageName) => stages.find((stage) => stage.name === name)?.reached.splice(0) ?? [];
  const bare = speeds(BARE);
  const kept = (name: SubjectName) =>
    median(speeds(name).map((speed, round) => speed / (bare[round] ?? Number.NaN)));
  const entries = SUBJECTS.map((name) => [name, kept(name)] as const);
  return {
    connections: plan.connections,
    rounds: plan.rounds,
    bare: median(bare),
    kept: Object.fromEntries(entries) as Record<SubjectName, number>,
  };
}

/**
 * Speeds of the generator, as fast as it goes with frames of 64 bytes, with nothing and with each subject attached.
 * All stages stand side by side and take turns, forth and back, so that a slow moment of the machine hits all alike.
 */
export async function capacities(plans: readonly CapacityPlan[]): Promise<Capacity[]> {
  await using stack = new AsyncDisposableStack();
  const stages: Stage[] = [];
  for (const name of [BARE, ...SUBJECTS] as const) {
    const lab = stack.use(await createLab());
    if (name !== BARE) stack.use(await attach(name, lab));
    stages.push({ name, lab, reached: [] });
  }
  const results: Capacity[] = [];
  for (const plan of plans) {
    const path = stages[0]?.lab.path(`capacity-${plan.connections}.pcap`) ?? "";
    const file = await writeConnections(path, plan.connections, SMALL_FRAME);
    results.push(await measure(stages, file, plan));
  }
  return results;
}
