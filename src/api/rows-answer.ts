import type { HistoryItem, HistoryPage, HistoryQuery } from "../history/types.ts";
import { csvLine } from "./csv.ts";
import { CONTENT_TYPES, jsonLine } from "./formats.ts";
import { historyError, requireHistory } from "./history-access.ts";
import type { Format } from "./history-query.ts";
import { MAX_LARGE_ANSWERS } from "./limits.ts";
import { coverageView } from "./question-views.ts";
import { LargeAnswers } from "./streamed.ts";
import type { HistoryView } from "./types.ts";

type Rows = Pick<HistoryView, "query" | "coverage">;

/** Rows read and written at a time: some milliseconds of the event loop. */
const PAGE = 250;

/** Columns of rows as csv, named as in JSON. */
export const ROW_COLUMNS = [
  "timestamp",
  "timestamp_us",
  "src_ip",
  "dst_ip",
  "src_port",
  "dst_port",
  "protocol",
  "length",
  "direction",
  "interface",
  "observation_points",
  "row_type",
  "packet_count",
  "bytes_sent",
  "bytes_received",
  "packets_sent",
  "packets_received",
  "tcp_flags",
  "rtt_ms",
  "retransmits",
  "domain",
  "domain_source",
  "alpn",
  "tls_version",
  "ja4",
  "ech",
  "connection_id",
] as const satisfies readonly (keyof HistoryItem)[];

function askPage(history: Rows, query: HistoryQuery): HistoryPage {
  try {
    return history.query(query);
  } catch (error) {
    throw historyError(error);
  }
}

const firstPage = (history: Rows, query: HistoryQuery): HistoryPage =>
  askPage(history, { ...query, limit: Math.min(PAGE, query.limit) });

/** Page after page up to the limit of `query`, from its first on; a page that time was up for may be empty. */
function* pagesOf(history: Rows, query: HistoryQuery, first: HistoryPage): Generator<HistoryPage> {
  const { offset: _, ...further } = query;
  let page = first;
  for (let left = query.limit; ; ) {
    yield page;
    left -= page.returned;
    if (left <= 0 || page.next_cursor === null) return;
    page = askPage(history, { ...further, limit: Math.min(PAGE, left), cursor: page.next_cursor });
  }
}

function* csvPieces(pages: Iterable<HistoryPage>): Generator<string> {
  yield csvLine(ROW_COLUMNS);
  for (const { items } of pages) {
    yield items.map((item) => csvLine(ROW_COLUMNS.map((column) => item[column]))).join("");
  }
}

/** A row a line; behind them, where the limit left some out, the cursor to go on with. */
function* ndjsonPieces(pages: Iterable<HistoryPage>): Generator<string> {
  let next: string | null = null;
  for (const { items, next_cursor } of pages) {
    next = next_cursor;
    yield items.map(jsonLine).join("");
  }
  if (next !== null) yield jsonLine({ next_cursor: next });
}

/** Makes the answers of `/api/history` that are rows. Throws ApiError. */
export function createRowsResponder(history: Rows | null): (query: HistoryQuery, format: Format) => Response {
  const large = new LargeAnswers(MAX_LARGE_ANSWERS, "listings as csv or ndjson");
  return (query, format) => {
    const source = requireHistory(history);
    if (format === "json") {
      return Response.json({ ...askPage(source, query), coverage: coverageView(source.coverage()) });
    }
    // Asked before the answer begins, so that a question history refuses still gets its status.
    const pages = pagesOf(source, query, firstPage(source, query));
    const pieces = format === "csv" ? csvPieces(pages) : ndjsonPieces(pages);
    return large.respond(pieces, CONTENT_TYPES[format]);
  };
}
