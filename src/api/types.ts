import type { Config } from "../config/types.ts";
import type { AgentView } from "../flow/types.ts";
import type { HistoryPage, HistoryQuery, HistoryStatus } from "../history/types.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "./metrics.ts";

/** The part of the configuration that the API obeys or shows. */
export type ApiConfig = Pick<
  Config,
  | "interfaces"
  | "port"
  | "listen"
  | "dbPath"
  | "connectionTimeoutSeconds"
  | "dataRetentionSeconds"
  | "aggregationWindowSeconds"
  | "allowedIps"
  | "apiToken"
  | "healthPublic"
  | "deepInspect"
  | "resolveDns"
>;

/**
 * What the API may ask of the history.
 * `query` throws UsageError for a question that cannot be answered (400), AyaflowError while it is failing (503).
 */
export interface HistoryView {
  query(query: HistoryQuery): HistoryPage;
  status(): HistoryStatus;
}

/** Totals of deep inspection since start. */
export interface InspectionCounts {
  domainsResolved: number;
  packets: number;
}

export interface ApiDeps {
  agent: AgentView;
  /** null when history could not be opened: its route answers 503. */
  history: HistoryView | null;
  config: ApiConfig;
  version: { version: string; commit: string };
  metrics: Metrics;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Absent until deep inspection runs: its counters are then 0. */
  inspection?: () => InspectionCounts;
}
