import type { LogFormat, LogLevel } from "../log.ts";

export const ATTACH_MODES = ["auto", "tcx", "clsact"] as const;
/** How programs are attached: `auto` takes TCX where the kernel has it, else clsact. */
export type AttachMode = (typeof ATTACH_MODES)[number];

/** In seconds. */
export interface LevelRetention {
  raw: number;
  minute: number;
  hour: number;
  day: number;
}

/** The agent's whole configuration, after flags, environment, file and defaults were merged and checked. */
export interface Config {
  /** Names, globs, `auto` (the interfaces with a default route) or `all`. */
  interfaces: string[];
  attachMode: AttachMode;
  /** Counts also where another agent is attached. */
  shareInterfaces: boolean;
  /** A connection that crosses several interfaces is one; else one for each of them. */
  mergeInterfaces: boolean;
  /** API port; 0 lets the system choose. */
  port: number;
  /** IPv4 or IPv6 address the API listens on. */
  listen: string;
  dbPath: string;
  connectionTimeoutSeconds: number;
  /** Nothing of any level is kept longer; 0 for no such bound. */
  dataRetentionSeconds: number;
  /** How long each level of history is kept; 0 for as long as there is space. */
  levelRetentionSeconds: LevelRetention;
  maxDbSizeBytes: number;
  /** 0 stores every packet. */
  aggregationWindowSeconds: number;
  maxConnections: number;
  /** What the agent's own process may use: percent of one core, resident memory. 0 is as much as it wants. */
  cpuBudgetPercent: number;
  memoryBudgetBytes: number;
  /** CIDRs that may use the API; empty allows all. */
  allowedIps: string[];
  apiToken: string | null;
  /** `/api/health` answers without a token and from any address. */
  healthPublic: boolean;
  deepInspect: boolean;
  resolveDns: boolean;
  quiet: boolean;
  logLevel: LogLevel;
  logFormat: LogFormat;
}
