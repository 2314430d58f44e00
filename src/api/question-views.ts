import type {
  Answer,
  AnsweredGroup,
  GroupKey,
  GroupValues,
  Question,
  Sums,
} from "../history/question-types.ts";
import type { LevelCoverage } from "../history/rollup-types.ts";
import type { DomainTotals, TrafficSums } from "../history/types.ts";
import type { Cell } from "./csv.ts";
import { coverageOf, nsToMs, rfc3339 } from "./views.ts";

const MS_PER_SECOND = 1000;

/** Columns of sums, in order. */
export const SUM_COLUMNS = [
  "bytes",
  "packets",
  "bytes_sent",
  "bytes_received",
  "packets_sent",
  "packets_received",
  "retransmits",
  "rtt_ms",
  "rows",
] as const;

function sumsView(sums: Sums): Record<(typeof SUM_COLUMNS)[number], number | null> {
  return {
    bytes: sums.bytesSent + sums.bytesReceived,
    packets: sums.packetsSent + sums.packetsReceived,
    bytes_sent: sums.bytesSent,
    bytes_received: sums.bytesReceived,
    packets_sent: sums.packetsSent,
    packets_received: sums.packetsReceived,
    retransmits: sums.retransmits,
    rtt_ms: nsToMs(sums.rttMeanNs),
    rows: sums.rows,
  };
}

function keyView(keys: readonly GroupKey[], values: GroupValues): Record<string, string | number | null> {
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? null]));
}

/** What each level of history covers. */
export function coverageView(coverage: readonly LevelCoverage[]) {
  return coverage.map(coverageOf);
}

/** What an answer says of itself. */
function aboutView(
  answer: Pick<Answer, "sinceMs" | "untilMs" | "level" | "parts" | "coverage" | "scanned" | "notes">,
) {
  return {
    since: rfc3339(answer.sinceMs),
    until: rfc3339(answer.untilMs),
    level: answer.level,
    parts: answer.parts.map(({ level, sinceMs, untilMs }) => ({
      level,
      since: rfc3339(sinceMs),
      until: rfc3339(untilMs),
    })),
    coverage: coverageView(answer.coverage),
    scanned: answer.scanned,
    notes: answer.notes,
  };
}

const stepView = ({ stepMs }: Question) => (stepMs === undefined ? {} : { step: stepMs / MS_PER_SECOND });

/** Sums of a group without its key; `times` are those of its points. */
function groupSums({ sums, points }: AnsweredGroup, times: readonly string[]) {
  if (points === undefined) return sumsView(sums);
  return {
    ...sumsView(sums),
    points: points.map((point, index) => ({ time: times[index] ?? "", ...sumsView(point) })),
  };
}

const timesOf = ({ pointsMs = [] }: Answer): string[] => pointsMs.map(rfc3339);

/** One group as `/api/history` and `/api/top` show it, by its place in the answer. */
export function groupViews(question: Question, answer: Answer): (group: AnsweredGroup) => object {
  const times = timesOf(answer);
  return (group) => ({ key: keyView(question.groupBy, group.key), ...groupSums(group, times) });
}

/** All of an answer besides its groups. */
export function restView(question: Question, answer: Answer) {
  const times = timesOf(answer);
  return {
    other: groupSums(answer.other, times),
    total: groupSums(answer.total, times),
    group_count: answer.groupCount,
    pruned: answer.isPruned,
    ...stepView(question),
    ...aboutView(answer),
  };
}

/** Header of the groups as a table: a line for each group, or with a step for each of its points. */
export function groupHeader({ groupBy, stepMs }: Question): string[] {
  return [...groupBy, ...(stepMs === undefined ? [] : ["time"]), ...SUM_COLUMNS];
}

/** The lines of one group under `groupHeader`. */
export function groupLines({ key, sums, points }: AnsweredGroup, times: readonly string[]): Cell[][] {
  const cells = (of: Sums): Cell[] => Object.values(sumsView(of));
  if (points === undefined) return [[...key, ...cells(sums)]];
  return points.map((point, index) => [...key, times[index], ...cells(point)]);
}

/** One number a point. */
function seriesView({ points = [] }: AnsweredGroup) {
  return {
    bytes: points.map(({ bytesSent, bytesReceived }) => bytesSent + bytesReceived),
    packets: points.map(({ packetsSent, packetsReceived }) => packetsSent + packetsReceived),
    bytes_sent: points.map(({ bytesSent }) => bytesSent),
    bytes_received: points.map(({ bytesReceived }) => bytesReceived),
  };
}

/** The body of `/api/timeseries`. */
export function timeseriesView(question: Question, answer: Answer) {
  const groups = question.groupBy.length === 0 ? [] : answer.groups;
  return {
    points: timesOf(answer),
    ...stepView(question),
    series: groups.map((group) => ({ key: keyView(question.groupBy, group.key), ...seriesView(group) })),
    other: seriesView(answer.other),
    total: seriesView(answer.total),
    group_count: answer.groupCount,
    pruned: answer.isPruned,
    ...aboutView(answer),
  };
}

function trafficView({ bytesSent, bytesReceived, packetsSent, packetsReceived }: TrafficSums) {
  return {
    bytes: bytesSent + bytesReceived,
    bytes_sent: bytesSent,
    bytes_received: bytesReceived,
    packets: packetsSent + packetsReceived,
    packets_sent: packetsSent,
    packets_received: packetsReceived,
  };
}

/** The body of `/api/domains`. */
export function domainsView(totals: DomainTotals) {
  return {
    domains: totals.domains.map(({ domain, sources, ...sums }) => ({
      domain,
      ...trafficView(sums),
      sources,
    })),
    other: trafficView(totals.other),
    unnamed: trafficView(totals.unnamed),
    rows: totals.rows,
    pruned: totals.pruned,
    ...aboutView(totals),
  };
}
