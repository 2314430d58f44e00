/**
 * What inspection costs a packet in the kernel: `bun test/bench/inspect-kernel.ts [--json FILE]`, as root.
 * Packets of named connections must cost what they cost without inspection, within BOUND. The figures are
 * without those of an empty program, so that nothing but our own code is compared.
 */
import { type StateCost, stateCosts, STATES } from "./support/kernel-states.ts";
import { labCost } from "./support/lab-cost.ts";
import { mean, tableLines, writeFigures } from "./support/measure.ts";

const BOUND = 1.1;
const ROUNDS = 9;
const REPEAT = 1_000_000;
const LAB_ROUNDS = 25;
const [, ...COMPARED] = STATES;

type Compared = (typeof COMPARED)[number];

function ratio({ ns }: StateCost, state: Compared): number | null {
  return ns[state] === null || ns.off === null ? null : ns[state] / ns.off;
}

function shown(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

function overall(rows: readonly StateCost[], state: Compared): number {
  return mean(rows.map((row) => ratio(row, state)).filter((value) => value !== null));
}

const { emptyNs, rows } = stateCosts(ROUNDS, REPEAT);
console.log(
  tableLines([
    ["", ...STATES.map((state) => `${state}, ns`), ...COMPARED.map((state) => `${state} / off`)],
    ...rows.map((row) => [
      row.name,
      ...STATES.map((state) => shown(row.ns[state], 1)),
      ...COMPARED.map((state) => shown(ratio(row, state), 2)),
    ]),
    ["mean", ...STATES.map(() => ""), ...COMPARED.map((state) => shown(overall(rows, state), 2))],
  ]),
);
console.log(
  `a packet, less the ${emptyNs.toFixed(1)} ns of an empty program; lower quartiles of ${ROUNDS} rounds in turn`,
);

const lab = await labCost(LAB_ROUNDS);
const labRatio = mean(lab.namedNs) / mean(lab.offNs);
const listed = (values: readonly number[]) => values.map((value) => value.toFixed(1)).join(" and ");
console.log(
  `agents on veth pairs, ${lab.packets} segments each: off ${listed(lab.offNs)} ns, ` +
    `named ${listed(lab.namedNs)} ns, named / off ${labRatio.toFixed(2)}`,
);

const above = rows.filter((row) => (ratio(row, "named") ?? 0) > BOUND).map(({ name }) => name);
if (labRatio > BOUND) above.push("agents on veth pairs");
console.log(
  above.length === 0
    ? `named connections cost what they cost with inspection off, within ${BOUND}`
    : `named connections cost more than ${BOUND} times what they cost with inspection off: ${above.join("; ")}`,
);
await writeFigures({ emptyNs, rows, lab });
