/** The API's answers, as its own schemas have them. Of them only the types are taken: nothing is checked in the page. */
import type * as z from "zod";
import type { dnsSchema } from "../../api/names-schemas.ts";
import type { sumsAnswerSchema, timeseriesSchema } from "../../api/question-schemas.ts";
import type {
  errorSchema,
  healthSchema,
  historyPageSchema,
  indexSchema,
  liveSchema,
  statsSchema,
  storySchema,
} from "../../api/schemas.ts";

export type ErrorAnswer = z.infer<typeof errorSchema>;
export type HealthAnswer = z.infer<typeof healthSchema>;
export type IndexAnswer = z.infer<typeof indexSchema>;

export type StatsAnswer = z.infer<typeof statsSchema>;
export type InterfaceAnswer = StatsAnswer["interfaces"][number];
export type LossAnswer = StatsAnswer["losses"][number];

export type LiveAnswer = z.infer<typeof liveSchema>;
export type ConnectionAnswer = LiveAnswer["connections"][number];

export type HistoryAnswer = z.infer<typeof historyPageSchema>;
export type HistoryItem = HistoryAnswer["items"][number];
export type StoryAnswer = z.infer<typeof storySchema>;

export type DnsAnswer = z.infer<typeof dnsSchema>;
export type LookupAnswer = DnsAnswer["lookups"][number];

/** What a group was grouped by, by name. */
export type GroupKey = Record<string, string | number | null>;

/** `One` with a key that any name can be looked up in: which ones it has depends on the question. */
type Keyed<One> = Omit<One, "key"> & { key: GroupKey };

type Sums = z.infer<typeof sumsAnswerSchema>;
export type GroupAnswer = Keyed<Sums["groups"][number]>;
export type TopAnswer = Omit<Sums, "groups"> & { groups: GroupAnswer[] };

type Timeseries = z.infer<typeof timeseriesSchema>;
/** One number a point. */
export type SeriesAnswer = Timeseries["total"];
export type TimeseriesAnswer = Omit<Timeseries, "series"> & {
  series: Keyed<Timeseries["series"][number]>[];
};
