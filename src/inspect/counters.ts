import { INSPECTED, type Inspected, OUTCOMES, type Outcome } from "./types.ts";

/** How inspections ended, by protocol and outcome. */
export class InspectionCounters {
  private readonly counts = new Float64Array(INSPECTED.length * OUTCOMES.length);

  add(protocol: Inspected, outcome: Outcome): void {
    this.counts[place(protocol, outcome)]! += 1;
  }

  get(protocol: Inspected, outcome: Outcome): number {
    return this.counts[place(protocol, outcome)] ?? 0;
  }
}

function place(protocol: Inspected, outcome: Outcome): number {
  return INSPECTED.indexOf(protocol) * OUTCOMES.length + OUTCOMES.indexOf(outcome);
}
