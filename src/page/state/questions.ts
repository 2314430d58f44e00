import type { GroupAnswer, TimeseriesAnswer, TopAnswer } from "../data/answers.ts";
import { pathText } from "../text/words.ts";
import { serviceName } from "../text/services.ts";
import { questionEvery } from "./every.ts";
import { usePage } from "./page.ts";
import { apiPath } from "./place.ts";
import { rangeQuery } from "./range.ts";
import { type Asked, useAsk } from "./use-ask.ts";

/** The largest of something in the time and under the filter shown. */
export function useTop(by: string, limit: number, order = "bytes"): Asked<TopAnswer> {
  const { place, client } = usePage();
  const path = apiPath("/api/top", { by, limit, order, q: place.q, ...rangeQuery(place.range) });
  return useAsk<TopAnswer>(path, { every: questionEvery(place.range, () => client.agentNow()) });
}

const SERIES = 5;
/** Seconds; the usual length of a window of history. */
const LIVE_STEP = "10s";

/** Traffic over the time and under the filter shown, as a whole or split. */
export function useTimeseries(by: string | undefined): Asked<TimeseriesAnswer> {
  const { place, client } = usePage();
  const step = place.range.kind === "live" ? { step: LIVE_STEP } : {};
  const split = by === undefined ? {} : { by, limit: SERIES };
  const path = apiPath("/api/timeseries", { ...split, ...step, q: place.q, ...rangeQuery(place.range) });
  return useAsk<TimeseriesAnswer>(path, { every: questionEvery(place.range, () => client.agentNow()) });
}

const KEY_WORDS: Readonly<Record<string, string>> = {
  domain: "no name",
  registered_domain: "no name",
};

/** Name of one value of what sums are grouped by. */
export function valueName(key: string, value: string | number | null): string {
  if (value === null) return KEY_WORDS[key] ?? "none";
  if (key === "interface") return pathText(String(value));
  if (key !== "server_port") return String(value);
  // Protocols that know no ports.
  if (value === 0) return "no port";
  const service = serviceName(Number(value));
  return service === undefined ? `port ${value}` : `${service} (${value})`;
}

/** The one value of a group by one key. */
export function valueOf(group: Pick<GroupAnswer, "key">, key: string): string | number | null {
  return group.key[key] ?? null;
}
