import type { AgentView, Connection, LiveQuery, Stats, SweepChange } from "../../../src/flow/types.ts";
import type { LogFields, Logger } from "../../../src/log.ts";
import { NO_NAMING } from "../../../src/flow/naming.ts";
import type {
  DomainQuery,
  DomainTotals,
  HistoryPage,
  HistoryQuery,
  HistoryStatus,
} from "../../../src/history/types.ts";
import type { Answer, Question } from "../../../src/history/question-types.ts";
import type { LevelCoverage } from "../../../src/history/rollup-types.ts";
import { createMetrics } from "../../../src/api/metrics.ts";
import { type RunningApi, startApi } from "../../../src/api/server.ts";
import type { ApiConfig, ApiDeps, HistoryView } from "../../../src/api/types.ts";
import { HISTORY_ITEM, NOW_MS } from "./history-item.ts";

export { HISTORY_ITEM, NOW_MS };

export function connection(index: number, overrides: Partial<Connection> = {}): Connection {
  return {
    id: `c${index}`,
    interface: "veth0",
    observationPoints: [
      {
        interface: "veth0",
        direction: "egress",
        sent: { packets: 10, bytes: 1000 },
        received: { packets: 20, bytes: 30_000 },
      },
    ],
    protocol: 6,
    clientAddress: "192.0.2.1",
    clientPort: 40_000 + (index % 20_000),
    serverAddress: "198.51.100.7",
    serverPort: 443,
    direction: "egress",
    state: "established",
    sent: { packets: 10, bytes: 1000 },
    received: { packets: 20, bytes: 30_000 },
    packetsPerSecond: 3,
    bytesPerSecond: 3100,
    flagsSent: 0x1b,
    flagsReceived: 0x12,
    rttNs: 1_500_000,
    rttServerNs: 1_000_000,
    rttClientNs: null,
    retransmitsSent: 1,
    retransmitsReceived: 2,
    outOfOrderSent: 0,
    outOfOrderReceived: 4,
    firstSeenMs: NOW_MS - 5000,
    lastSeenMs: NOW_MS - 250,
    naming: NO_NAMING,
    ...overrides,
  };
}

export function stats(overrides: Partial<Stats> = {}): Stats {
  const counters = (packets: number) => ({ packets, bytes: packets * 100 });
  const totals = (direction: "ingress" | "egress", seen: number) => ({
    interface: "veth0",
    direction,
    seen: counters(seen),
    attributed: counters(seen - 10),
    overflow: counters(5),
    notIp: counters(3),
    malformed: counters(2),
  });
  return {
    uptimeSeconds: 61.75,
    interfaces: [totals("ingress", 700), totals("egress", 300)],
    total: { packets: 1000, bytes: 100_000 },
    attributed: { packets: 980, bytes: 98_000 },
    duplicates: { packets: 40, bytes: 4000 },
    packetsPerSecond: 12.5,
    bytesPerSecond: 1250,
    activeConnections: 2,
    coverage: 0.9859,
    losses: [{ stage: "ring", reason: "full", count: 4 }],
    tableUsed: 2,
    tableSize: 65_536,
    watch: {
      interfaces: 1,
      changes: { attached: 3, detached: 2, renamed: 1, reattached: 1, failed: 4 },
    },
    ringUsedBytes: 128,
    ringSizeBytes: 1_048_576,
    restraint: {
      cpuPercent: 12.5,
      cpuBudgetPercent: 10,
      residentBytes: 48 * 1024 ** 2,
      memoryBudgetBytes: 0,
      shed: ["inspection", "history_detail"],
      stepsTaken: 3,
    },
    ...overrides,
  };
}

/** An agent whose state the test sets: the API knows it only through this interface. */
export class TestAgent implements AgentView {
  connections: Connection[] = [connection(1), connection(2)];
  current = stats();
  reasons: string[] = [];
  queries: LiveQuery[] = [];
  listeners = new Set<(change: SweepChange) => void>();

  stats(): Stats {
    return this.current;
  }
  live(query: LiveQuery) {
    this.queries.push(query);
    return { connections: this.connections.slice(0, query.limit), matched: this.connections.length };
  }
  find(id: string): Connection | null {
    return this.connections.find((one) => one.id === id) ?? null;
  }
  onSweep(listener: (change: SweepChange) => void) {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
  degradedReasons(): string[] {
    return this.reasons;
  }
  sweep(change: Partial<SweepChange> = {}): void {
    const whole = { stats: this.current, opened: [], updated: [], retired: [], truncated: false, ...change };
    for (const listener of this.listeners) listener(whole);
  }
}

export const COVERAGE: LevelCoverage[] = [
  { level: "raw", sinceMs: NOW_MS - 86_400_000, untilMs: Infinity },
  { level: "minute", sinceMs: null, untilMs: NOW_MS - 60_000 },
  { level: "hour", sinceMs: null, untilMs: null },
  { level: "day", sinceMs: null, untilMs: null },
];

export const DOMAIN_TOTALS: DomainTotals = {
  domains: [
    {
      domain: "www.example.org",
      sources: { sni: 3000, dns: 100 },
      bytesSent: 100,
      bytesReceived: 3000,
      packetsSent: 4,
      packetsReceived: 5,
    },
  ],
  other: { bytesSent: 1, bytesReceived: 2, packetsSent: 3, packetsReceived: 4 },
  unnamed: { bytesSent: 5, bytesReceived: 6, packetsSent: 7, packetsReceived: 8 },
  rows: 12,
  pruned: false,
  sinceMs: NOW_MS - 3_600_000,
  untilMs: NOW_MS,
  level: "minute",
  parts: [{ level: "minute", sinceMs: NOW_MS - 3_600_000, untilMs: NOW_MS }],
  coverage: COVERAGE,
  scanned: 9,
  notes: [],
};

const NO_SUMS = {
  rows: 0,
  packetsSent: 0,
  bytesSent: 0,
  packetsReceived: 0,
  bytesReceived: 0,
  retransmits: 0,
  rttMeanNs: null,
};

/** An answer to `question` over no rows. */
export function emptyAnswer({ sinceMs, untilMs }: Question): Answer {
  const group = { key: [], sums: NO_SUMS };
  return {
    groups: [],
    other: group,
    total: group,
    groupCount: 0,
    isPruned: false,
    sinceMs,
    untilMs,
    level: "raw",
    parts: [{ level: "raw", sinceMs, untilMs }],
    coverage: COVERAGE,
    scanned: 0,
    notes: [],
  };
}

/** A history whose answers the test sets. */
export class TestHistory implements HistoryView {
  queries: HistoryQuery[] = [];
  domainQueries: DomainQuery[] = [];
  questions: Question[] = [];
  failure: Error | null = null;
  domainTotals: Promise<DomainTotals> = Promise.resolve(DOMAIN_TOTALS);
  current: HistoryStatus = {
    rowsWritten: 500,
    rowsDropped: { queue_full: 0, disk_full: 7 },
    queued: 3,
    queueCapacity: 1000,
    databaseBytes: 40_960,
    failing: null,
    levels: COVERAGE.map((coverage) => {
      const isMinute = coverage.level === "minute";
      return { ...coverage, parts: isMinute ? 2 : 0, bytes: isMinute ? 900 : 0, lost: isMinute ? 4 : 0 };
    }),
    foldingLagSeconds: 30,
  };

  query(query: HistoryQuery): HistoryPage {
    this.queries.push(query);
    if (this.failure !== null) throw this.failure;
    const { limit, offset = 0 } = query;
    return { items: [HISTORY_ITEM], limit, offset, returned: 1, has_more: false, next_cursor: null };
  }
  async domains(query: DomainQuery): Promise<DomainTotals> {
    this.domainQueries.push(query);
    if (this.failure !== null) throw this.failure;
    return this.domainTotals;
  }
  async ask(question: Question): Promise<Answer> {
    this.questions.push(question);
    if (this.failure !== null) throw this.failure;
    return emptyAnswer(question);
  }
  coverage(): LevelCoverage[] {
    return COVERAGE;
  }
  status(): HistoryStatus {
    return this.current;
  }
}

const CONFIG: ApiConfig = {
  interfaces: ["veth0"],
  port: 0,
  listen: "127.0.0.1",
  dbPath: "/var/lib/ayaflow/traffic.db",
  connectionTimeoutSeconds: 60,
  dataRetentionSeconds: 604_800,
  aggregationWindowSeconds: 10,
  allowedIps: [],
  apiToken: null,
  healthPublic: false,
  deepInspect: false,
  resolveDns: false,
};

export interface TestApi extends RunningApi {
  agent: TestAgent;
  history: TestHistory;
  logged: { level: string; message: string; fields: LogFields | undefined }[];
  get(path: string, init?: RequestInit): Promise<Response>;
}

/** A listening API over a test agent and history; the caller stops it. */
export async function startTestApi(
  config: Partial<ApiConfig> = {},
  deps: Partial<ApiDeps> = {},
): Promise<TestApi> {
  const agent = new TestAgent();
  const history = new TestHistory();
  const logged: TestApi["logged"] = [];
  const at = (level: string) => (message: string, fields?: LogFields) =>
    void logged.push({ level, message, fields });
  const log: Logger = { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
  const running = await startApi({
    agent,
    history,
    config: { ...CONFIG, ...config },
    version: { version: "1.2.3", commit: "abc1234" },
    metrics: createMetrics(),
    log,
    now: () => NOW_MS,
    ...deps,
  });
  const get = (path: string, init?: RequestInit) => fetch(running.url + path, init);
  return { ...running, agent, history, logged, get };
}
