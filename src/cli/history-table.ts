import type { GroupKey, QuestionOrder } from "../history/question-types.ts";
import { formatBytes, formatCount as formatShort, formatExact, formatMs } from "../top/numbers.ts";
import { joinPath } from "../flow/path.ts";
import { pathText, safeText } from "../top/text.ts";
import type { Terminal } from "./ask-terminal.ts";
import { formatLocal, localOffset } from "./ask-time.ts";
import type {
  GroupKeyAnswer,
  GroupsAnswer,
  RowAnswer,
  SeriesColumns,
  SumsAnswer,
  TimeseriesAnswer,
} from "./history-answers.ts";
import type { HistoryRequest } from "./history-request.ts";
import { type Column, formatTable } from "./table.ts";

type Order = HistoryRequest["order"];

/** Cells that names and addresses keep however narrow the terminal is. */
const NAME: Pick<Column, "least" | "fair"> = { least: 8, fair: 30 };
const ADDRESS: Pick<Column, "least" | "fair"> = { least: 9, fair: 25 };
const PATH: Pick<Column, "least" | "fair"> = { least: 8, fair: 24 };
const BAR_CELLS = 20;
const NOTHING = "-";

const KEY_HEADS: Readonly<Record<GroupKey, string>> = {
  client: "CLIENT",
  server: "SERVER",
  server_port: "PORT",
  protocol: "PROTO",
  interface: "IFACE",
  domain: "NAME",
  registered_domain: "DOMAIN",
  source: "NAMED BY",
  client_network: "CLIENT NET",
  server_network: "SERVER NET",
};
const KEY_CELLS: Partial<Record<GroupKey, Pick<Column, "least" | "fair">>> = {
  client: ADDRESS,
  server: ADDRESS,
  client_network: ADDRESS,
  server_network: ADDRESS,
  interface: PATH,
  domain: NAME,
  registered_domain: NAME,
};

/** Counts up to here are shown with every digit. */
const EXACT = 10_000_000;

const formatCount = (count: number) => (count < EXACT ? formatExact(count) : formatShort(count));

interface SumColumn {
  head: string;
  order: Order;
  text: (sums: SumsAnswer) => string;
  /** Left out of a narrow terminal, the highest first. */
  rank: number;
}

const SUM_COLUMNS: readonly SumColumn[] = [
  { head: "BYTES", order: "bytes", text: ({ bytes }) => formatBytes(bytes), rank: 0 },
  { head: "SENT", order: "bytes_sent", text: ({ bytes_sent }) => formatBytes(bytes_sent), rank: 2 },
  {
    head: "RECEIVED",
    order: "bytes_received",
    text: ({ bytes_received }) => formatBytes(bytes_received),
    rank: 1,
  },
  { head: "PACKETS", order: "packets", text: ({ packets }) => formatCount(packets), rank: 3 },
  { head: "RETRANS", order: "retransmits", text: ({ retransmits }) => formatCount(retransmits), rank: 5 },
];
/** Shown only where they are what is asked for. */
const ORDER_COLUMNS: readonly SumColumn[] = [
  { head: "PACKETS SENT", order: "packets_sent", text: (sums) => formatCount(sums.packets_sent), rank: 0 },
  {
    head: "PACKETS RECEIVED",
    order: "packets_received",
    text: (sums) => formatCount(sums.packets_received),
    rank: 0,
  },
  { head: "ROWS", order: "rows", text: ({ rows }) => formatCount(rows), rank: 0 },
];
const RTT_RANK = 4;

/** `12.3%`; a little is not nothing, and not quite all is not all. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "0%";
  if (part === whole) return "100%";
  const percent = (part / whole) * 100;
  return percent < 0.1 ? "<0.1%" : `${Math.min(percent, 99.9).toFixed(1)}%`;
}

export function keyText(key: string | number | null | undefined, { ascii }: Terminal): string {
  return key === null || key === undefined || key === "" ? NOTHING : safeText(String(key), ascii);
}

/** The value of a group by `name`. */
function groupKeyText(name: string, key: string | number | null | undefined, terminal: Terminal): string {
  const isPath = name === "interface" && typeof key === "string" && key !== "";
  return isPath ? pathText(key, terminal.ascii) : keyText(key, terminal);
}

/** The sums that are shown: always what is largest, then the usual ones. */
function sumColumns(order: Order): SumColumn[] {
  const asked = ORDER_COLUMNS.filter((column) => column.order === order);
  return [...asked, ...SUM_COLUMNS];
}

/** Groups, what is left and the total: one line each. */
export function groupTable(
  answer: GroupsAnswer,
  { groupBy, order }: Pick<HistoryRequest, "groupBy" | "order">,
  terminal: Terminal,
): string {
  const sums = sumColumns(order);
  const columns: Column[] = [
    ...groupBy.map((key): Column => {
      const align = key === "server_port" ? "right" : "left";
      return { head: KEY_HEADS[key], align, ...KEY_CELLS[key] };
    }),
    ...sums.map(({ head, order: own, rank }): Column => {
      return { head, align: "right", ...(own === order ? {} : { rank }) };
    }),
    { head: "RTT", align: "right", rank: RTT_RANK },
    { head: "SHARE", align: "right", rank: 0 },
  ];
  const cells = (one: SumsAnswer): string[] => [
    ...sums.map(({ text }) => text(one)),
    formatMs(one.rtt_ms),
    formatPercent(one[order], answer.total[order]),
  ];
  const padding = groupBy.slice(1).map(() => "");
  const rows = answer.groups.map(({ key, ...one }) => [
    ...groupBy.map((name) => groupKeyText(name, key[name], terminal)),
    ...cells(one),
  ]);
  const isRest = answer.group_count > answer.groups.length;
  if (isRest) rows.push(["others", ...padding, ...cells(answer.other)]);
  rows.push(["total", ...padding, ...cells(answer.total)]);
  return formatTable(columns, rows, terminal);
}

type SeriesMeasure = keyof SeriesColumns;

/** A time series has no others. */
export function seriesMeasure(order: Order): SeriesMeasure {
  const known = ["packets", "bytes_sent", "bytes_received"] as const;
  return known.find((measure) => measure === order) ?? "bytes";
}

function seriesName(key: GroupKeyAnswer, terminal: Terminal): string {
  return Object.entries(key)
    .map(([name, value]) => groupKeyText(name, value, terminal))
    .join(" ");
}

/** A bar as long as the share of the largest, for the eye. */
function bar(value: number, largest: number): string {
  return "#".repeat(largest === 0 ? 0 : Math.round((value / largest) * BAR_CELLS));
}

/** One line a point: the total, then the largest groups. */
export function seriesTable(answer: TimeseriesAnswer, order: Order, terminal: Terminal): string {
  const measure = seriesMeasure(order);
  const format = measure === "packets" ? formatCount : formatBytes;
  const ofTotal = answer.total[measure];
  const largest = ofTotal.reduce((most, value) => Math.max(most, value), 0);
  const isRest = answer.group_count > answer.series.length && answer.series.length > 0;
  const groups = [
    ...answer.series.map(({ key, ...columns }) => ({
      head: seriesName(key, terminal),
      values: columns[measure],
    })),
    ...(isRest ? [{ head: "others", values: answer.other[measure] }] : []),
  ];
  const columns: Column[] = [
    { head: `TIME (${localOffset(answer.since)})`, align: "left" },
    { head: measure.toUpperCase().replace("_", " "), align: "right" },
    ...groups.map(({ head }, index): Column => ({ head, align: "right", ...NAME, rank: index + 1 })),
    { head: "", align: "left", rank: 0 },
  ];
  const rows = answer.points.map((ms, point) => [
    formatLocal(ms),
    format(ofTotal[point] ?? 0),
    ...groups.map(({ values }) => format(values[point] ?? 0)),
    bar(ofTotal[point] ?? 0, largest),
  ]);
  return formatTable(columns, rows, terminal);
}

export const ROW_COLUMNS: readonly Column[] = [
  { head: "TIME", align: "left" },
  { head: "SOURCE", align: "left", ...ADDRESS },
  { head: "DESTINATION", align: "left", ...ADDRESS },
  { head: "PROTO", align: "left" },
  { head: "IFACE", align: "left", ...PATH, rank: 4 },
  { head: "NAME", align: "left", ...NAME },
  { head: "BYTES", align: "right" },
  { head: "SENT", align: "right", rank: 3 },
  { head: "RECEIVED", align: "right", rank: 2 },
  { head: "PACKETS", align: "right", rank: 1 },
];

function endText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The cells of a row under ROW_COLUMNS. */
export function rowCells(row: RowAnswer, terminal: Terminal): string[] {
  return [
    formatLocal(row.timestamp),
    safeText(endText(row.src_ip, row.src_port), terminal.ascii),
    safeText(endText(row.dst_ip, row.dst_port), terminal.ascii),
    safeText(row.protocol, terminal.ascii),
    pathText(joinPath(row.observation_points), terminal.ascii),
    keyText(row.domain, terminal),
    formatBytes(row.length),
    formatBytes(row.bytes_sent),
    formatBytes(row.bytes_received),
    formatCount(row.packet_count),
  ];
}

/** `bytes received` of `bytes_received`. */
export function orderWords(order: QuestionOrder): string {
  return order.replaceAll("_", " ");
}
