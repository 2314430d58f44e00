import * as z from "zod";
import { allTests, type FilterParameters, parameterTests } from "../filter/parameters.ts";
import { addressRange } from "../history/filter.ts";
import { GROUP_KEYS, type Question, QUESTION_ORDERS } from "../history/question-types.ts";
import type { HistoryQuery } from "../history/types.ts";
import { badRequest } from "./errors.ts";
import { filter } from "./filter-parameter.ts";
import {
  address,
  cursor,
  domainPattern,
  duration,
  integer,
  listOf,
  networkInterface,
  oneOf,
  port,
  protocol,
  time,
} from "./parameters.ts";
import { parseQuery, present } from "./query-string.ts";
import { MAX_GROUPS, rangeOf } from "./sums-query.ts";

const MAX_PAGE = 1000;
/** Of a listing in a format that is streamed. */
const MAX_ROWS = 1_000_000;
const MAX_OFFSET = 10_000_000;
const DEFAULT_PAGE = 100;
const DEFAULT_GROUPS = 50;

export const FORMATS = ["json", "csv", "ndjson"] as const;
export type Format = (typeof FORMATS)[number];

/** Parameters of `/api/history`; relative times count from `nowMs`. */
export function historyQuerySchema(nowMs: number) {
  return z.strictObject({
    limit: integer(
      1,
      Number.MAX_SAFE_INTEGER,
      `Rows a page, ${DEFAULT_PAGE} if absent and never more than ${MAX_PAGE}; as csv or ndjson ${MAX_ROWS} for both; ` +
        `groups ${DEFAULT_GROUPS} and ${MAX_GROUPS}`,
    ).exactOptional(),
    cursor: cursor("next_cursor of the page before").exactOptional(),
    offset: integer(0, MAX_OFFSET, "Rows to skip; slower than cursor").exactOptional(),
    since: time(nowMs, "Not before; of sums an hour before until if absent").exactOptional(),
    until: time(nowMs, "Not after; of sums before it, now if absent").exactOptional(),
    start_time: time(nowMs, "The same as since").exactOptional(),
    end_time: time(nowMs, "The same as until").exactOptional(),
    q: filter.exactOptional(),
    ip: address("Either end").exactOptional(),
    src_ip: address("Source").exactOptional(),
    dst_ip: address("Destination").exactOptional(),
    port: port("Either end").exactOptional(),
    src_port: port("Source").exactOptional(),
    dst_port: port("Destination").exactOptional(),
    protocol: protocol.exactOptional(),
    interface: networkInterface.exactOptional(),
    direction: oneOf(
      ["ingress", "egress"],
      "Of the packet; of the client's packets in a window",
    ).exactOptional(),
    domain: domainPattern("Domain name of the server").exactOptional(),
    row_type: oneOf(["raw", "aggregated"], "raw: single packets; aggregated: windows").exactOptional(),
    group_by: listOf(GROUP_KEYS, "Sums by these instead of rows").exactOptional(),
    order: oneOf(QUESTION_ORDERS, "Groups with the most of it come first").exactOptional(),
    step: duration("Sums over time, one every so long").exactOptional(),
    format: oneOf(FORMATS, "csv and ndjson are streamed").default("json"),
  });
}
type Given = z.output<ReturnType<typeof historyQuerySchema>>;

/** What is asked of `/api/history`: rows, or sums. */
export type HistoryAsked =
  | { kind: "rows"; query: HistoryQuery; format: Format }
  | { kind: "sums"; question: Question; format: Format };

const only = (isWrong: boolean, problem: string): string[] => (isWrong ? [problem] : []);

/** Problems of parameters that are right each by itself. */
function problemsOf(given: Given, isSums: boolean): string[] {
  const { since, start_time, until, end_time, cursor: from, offset } = given;
  const sinceMs = since ?? start_time;
  const untilMs = until ?? end_time;
  const rowsOnly = (["cursor", "offset", "row_type"] as const).filter((name) => given[name] !== undefined);
  return [
    ...only(since !== undefined && start_time !== undefined, "since and start_time are the same: give one"),
    ...only(until !== undefined && end_time !== undefined, "until and end_time are the same: give one"),
    ...only(from !== undefined && offset !== undefined, "cursor and offset: give one"),
    ...only(sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs, "since is later than until"),
    ...only(!isSums && given.order !== undefined, "order: only with group_by or step; rows are newest first"),
    ...(isSums ? rowsOnly.map((name) => `${name}: of rows only, not with group_by or step`) : []),
  ];
}

function parametersOf(given: Given): FilterParameters {
  return present({
    ip: given.ip,
    srcIp: given.src_ip,
    dstIp: given.dst_ip,
    port: given.port,
    srcPort: given.src_port,
    dstPort: given.dst_port,
    protocol: given.protocol,
    interface: given.interface,
    direction: given.direction,
    domain: given.domain,
  });
}

function rowsQuery(given: Given): HistoryQuery {
  const [byDefault, max] = given.format === "json" ? [DEFAULT_PAGE, MAX_PAGE] : [MAX_ROWS, MAX_ROWS];
  return {
    limit: Math.min(given.limit ?? byDefault, max),
    ...parametersOf(given),
    ...present({
      cursor: given.cursor,
      offset: given.offset,
      sinceMs: given.since ?? given.start_time,
      untilMs: given.until ?? given.end_time,
      filter: given.q ?? undefined,
      kind: given.row_type === undefined ? undefined : given.row_type === "raw" ? "packet" : "window",
    }),
  };
}

/** What a query string asks of history; throws ApiError 400. `nowMs` is what relative times count from. */
export function parseHistoryQuery(text: string, nowMs: number): HistoryAsked {
  const given = parseQuery(historyQuerySchema(nowMs), text);
  const { group_by: groupBy, step, format } = given;
  const isSums = groupBy !== undefined || step !== undefined;
  const problems = problemsOf(given, isSums);
  if (problems.length > 0) throw badRequest(problems);
  if (!isSums) return { kind: "rows", query: rowsQuery(given), format };
  const question: Question = {
    ...rangeOf(given.since ?? given.start_time, given.until ?? given.end_time, nowMs),
    filter: allTests(parameterTests(parametersOf(given), addressRange), given.q),
    groupBy: groupBy ?? [],
    order: given.order ?? "bytes",
    limit: Math.min(given.limit ?? DEFAULT_GROUPS, MAX_GROUPS),
    ...(step === undefined ? {} : { stepMs: step }),
  };
  return { kind: "sums", question, format };
}
