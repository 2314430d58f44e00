/** What `ayaflow top` is told on the command line. */
export interface TopOptions {
  /** Of the agent's API, without a path. */
  url: string;
  /** Bearer token of the API; null where it wants none. */
  token: string | null;
  /** A filter to begin with; blank for none. */
  filter: string;
  /** Between two questions to the agent. */
  intervalMs: number;
  /** Only ASCII, whatever the locale says. */
  ascii: boolean;
  /** Colours may be used; NO_COLOR and the kind of terminal can still forbid them. */
  color: boolean;
}
