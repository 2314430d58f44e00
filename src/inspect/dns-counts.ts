import { rcodeName } from "./dns-types.ts";
import type { Lookup } from "./types.ts";

/** IANA "DNS RCODEs" of the header, 0 to 10. */
const HEADER_RCODES = Array.from({ length: 11 }, (_, rcode) => rcodeName(rcode));
/** Whatever else there is. */
const OTHER = "other";
/** How answers are told apart where labels must be few. */
export const RCODE_LABELS: readonly string[] = [...HEADER_RCODES, rcodeName(16), OTHER];

/** Counts answers by their response code. */
export class DnsCounts {
  private readonly responses = new Map(RCODE_LABELS.map((label) => [label, 0]));

  /** Counts a lookup that is over; one that nobody answered is none. */
  add({ rcode }: Pick<Lookup, "rcode">): void {
    if (rcode === null) return;
    const label = this.responses.has(rcode) ? rcode : OTHER;
    this.responses.set(label, (this.responses.get(label) ?? 0) + 1);
  }

  /** Answers with one of RCODE_LABELS. */
  answered(label: string): number {
    return this.responses.get(label) ?? 0;
  }
}
