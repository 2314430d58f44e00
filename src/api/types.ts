import type { Config } from "../config/types.ts";
import type { AgentView } from "../flow/types.ts";
import type {
  DomainQuery,
  DomainTotals,
  HistoryPage,
  HistoryQuery,
  HistoryStatus,
} from "../history/types.ts";
import type { QuestionAnswerer } from "../history/question-types.ts";
import type { LevelCoverage } from "../history/rollup-types.ts";
import type { LookupQuery } from "../inspect/recent-lookups.ts";
import type { Inspected, Lookup, Outcome } from "../inspect/types.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "./metrics.ts";
import type { PageFiles } from "./page.ts";

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
 * `query` throws UsageError for a question that cannot be answered (400), AyaflowError while it is failing (503);
 * `domains` and `ask` reject with the same, `ask` also with HistoryLimitError (503).
 */
export interface HistoryView extends QuestionAnswerer {
  query(query: HistoryQuery): HistoryPage;
  domains(query: DomainQuery): Promise<DomainTotals>;
  /** What each level covers now, finest first. */
  coverage(): LevelCoverage[];
  status(): HistoryStatus;
}

/** How a reverse lookup ended; `limited`: not made, too many were under way. */
export const PTR_OUTCOMES = ["found", "none", "failed", "limited"] as const;
export type PtrOutcome = (typeof PTR_OUTCOMES)[number];

/** What deep inspection counts, as it stands: totals since start unless said. */
export interface InspectionCounts {
  /** Payload events looked at. */
  readonly packets: number;
  readonly domainsResolved: number;
  /** Answers with one of RCODE_LABELS. */
  dnsResponses(rcode: string): number;
  readonly dnsUnanswered: number;
  inspections(protocol: Inspected, outcome: Outcome): number;
  /** Connections being looked into now. */
  readonly connections: number;
  /** Payload held now, and what may be held. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  /** Addresses whose name is known from DNS now. */
  readonly addressNames: number;
  ptrQueries(outcome: PtrOutcome): number;
}

/** The last lookups seen. */
export interface DnsView {
  /** Those that match, newest first. */
  recent(query: LookupQuery): Lookup[];
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
  /** Absent without deep inspection: its counters are then 0. */
  inspection?: InspectionCounts;
  /** Absent without deep inspection: `/api/dns` then says so. */
  dns?: DnsView;
  /** Absent where no page was built: `/` then is the list of routes for all. */
  page?: PageFiles;
}
