import { DOMAIN_SOURCES, type DomainSource } from "../../flow/naming.ts";
import type { GroupAnswer } from "../data/answers.ts";

export interface NameRow {
  name: string | null;
  bytes: number;
  sent: number;
  received: number;
  /** Mean over the rows that have one, weighted by them all. */
  rttMs: number | null;
  /** Where the name came from, the source of the most bytes first. */
  sources: DomainSource[];
}

interface Sum extends NameRow {
  rttRows: number;
}

/** Groups by name and source as rows by name, largest first. */
export function mergeNames(groups: readonly GroupAnswer[], by: string): NameRow[] {
  const sums = new Map<string | null, Sum>();
  for (const { key, bytes, bytes_sent, bytes_received, rtt_ms, rows } of groups) {
    const value = key[by] ?? null;
    const name = value === null ? null : String(value);
    const sum = sums.get(name) ?? {
      name,
      bytes: 0,
      sent: 0,
      received: 0,
      rttMs: null,
      sources: [],
      rttRows: 0,
    };
    sums.set(name, sum);
    sum.bytes += bytes;
    sum.sent += bytes_sent;
    sum.received += bytes_received;
    if (rtt_ms !== null) {
      sum.rttMs = ((sum.rttMs ?? 0) * sum.rttRows + rtt_ms * rows) / (sum.rttRows + rows);
      sum.rttRows += rows;
    }
    const source = DOMAIN_SOURCES.find((one) => one === key["source"]);
    if (source !== undefined) sum.sources.push(source);
  }
  return [...sums.values()].toSorted((a, b) => b.bytes - a.bytes);
}
