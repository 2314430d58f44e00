import type { Parameters } from "./ask-agent.ts";
import type { HistoryRequest } from "./history-request.ts";

const MS_PER_SECOND = 1000;

const rfc3339 = (ms: number) => new Date(ms).toISOString();

/** The route of the API that answers a request. */
export function pathOf({ kind, format }: HistoryRequest): "/api/history" | "/api/timeseries" {
  return kind === "series" && (format === "table" || format === "json") ? "/api/timeseries" : "/api/history";
}

/** Rows are wanted in pieces, whatever is made of them. */
function formatOf({ kind, format }: HistoryRequest): string {
  if (format === "csv" || format === "ndjson") return format;
  return kind === "rows" ? "ndjson" : "json";
}

/** The parameters of a request for the route that `pathOf` gives. */
export function parametersOf(request: HistoryRequest): Parameters {
  const { text, sinceMs, untilMs, groupBy, order, limit, kind, stepMs } = request;
  const isSeriesRoute = pathOf(request) === "/api/timeseries";
  const by = groupBy.length === 0 ? {} : { [isSeriesRoute ? "by" : "group_by"]: groupBy.join(",") };
  return {
    since: rfc3339(sinceMs),
    // Of rows the API's end is part of the range, of sums it is not.
    until: rfc3339(kind === "rows" ? untilMs - 1 : untilMs),
    limit: String(limit),
    ...(text === "" ? {} : { q: text }),
    ...(isSeriesRoute ? {} : { format: formatOf(request) }),
    ...(kind === "rows" ? {} : { order, ...by }),
    ...(kind === "series" ? { step: String(stepMs / MS_PER_SECOND) } : {}),
  };
}
