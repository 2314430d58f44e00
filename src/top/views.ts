/** The tables that can be looked at: their columns, their orders, how they are kept up to date. */

export const VIEWS = ["connections", "names", "talkers", "interfaces", "dns"] as const;
export type View = (typeof VIEWS)[number];

export interface Column {
  key: string;
  label: string;
  /** Columns of the terminal that it needs, and its share of what is left over. */
  width: number;
  grow: number;
  align: "left" | "right";
  /** Columns with a low one go first when there is no room. */
  priority: number;
  /** What the agent calls this order; null where rows are not sorted by it. */
  sort: string | null;
}

export interface ViewDefinition {
  label: string;
  columns: readonly Column[];
  /** Key of the column that it is sorted by at first; null where there is one order only. */
  firstSort: string | null;
  canReverse: boolean;
  takesFilter: boolean;
  /** Shown for no rows at all. */
  nothing: string;
  /** Rows are asked for again after this long; history has new ones every ten seconds. */
  refreshMs: number;
}

function left(
  key: string,
  label: string,
  width: number,
  grow: number,
  priority: number,
  sort: string | null = null,
): Column {
  return { key, label, width, grow, align: "left", priority, sort };
}

function right(
  key: string,
  label: string,
  width: number,
  priority: number,
  sort: string | null = null,
): Column {
  return { key, label, width, grow: 0, align: "right", priority, sort };
}

const HISTORY_MS = 5000;

const sums = (label: string, name: string): readonly Column[] => [
  left(name, label, 20, 1, 9),
  right("bytes", "BYTES", 8, 8, "bytes"),
  right("received", "RECEIVED", 8, 6, "bytes_received"),
  right("sent", "SENT", 8, 7, "bytes_sent"),
  right("packets", "PACKETS", 8, 5, "packets"),
  right("retransmits", "RETRANS", 7, 3, "retransmits"),
  right("rtt", "RTT", 8, 4),
];

export const DEFINITIONS: Record<View, ViewDefinition> = {
  connections: {
    label: "Connections",
    columns: [
      left("client", "CLIENT", 15, 2, 8, "client"),
      left("server", "SERVER", 15, 3, 9, "domain"),
      left("protocol", "PROTO", 5, 0, 6, "protocol"),
      right("rate", "RATE", 9, 9, "rate"),
      right("sent", "SENT", 8, 7, "bytes_sent"),
      right("received", "RECEIVED", 8, 7, "bytes_received"),
      right("rtt", "RTT", 7, 5, "rtt"),
      right("packets", "PACKETS", 7, 3, "packets"),
      right("retransmits", "RETRANS", 7, 2, "retransmits"),
      left("state", "STATE", 12, 0, 4, "state"),
      left("interface", "INTERFACE", 9, 1, 1, "interface"),
    ],
    firstSort: "rate",
    canReverse: true,
    takesFilter: true,
    nothing: "No connections.",
    refreshMs: 0,
  },
  names: {
    label: "Names",
    columns: sums("NAME (last 5 minutes)", "name"),
    firstSort: "bytes",
    canReverse: false,
    takesFilter: true,
    nothing: "No traffic in the last 5 minutes of history.",
    refreshMs: HISTORY_MS,
  },
  talkers: {
    label: "Talkers",
    columns: sums("CLIENT (last 5 minutes)", "name"),
    firstSort: "bytes",
    canReverse: false,
    takesFilter: true,
    nothing: "No traffic in the last 5 minutes of history.",
    refreshMs: HISTORY_MS,
  },
  interfaces: {
    label: "Interfaces",
    columns: [
      left("interface", "INTERFACE", 15, 1, 9, "interface"),
      left("direction", "WAY", 4, 0, 8),
      right("rate", "RATE", 9, 7, "rate"),
      right("bytes", "BYTES", 8, 6, "bytes"),
      right("packets", "PACKETS", 7, 5, "packets"),
      right("seen", "COUNTED", 7, 4),
      right("overflow", "NO ROOM", 7, 3, "overflow"),
      right("not_ip", "NOT IP", 7, 2, "not_ip"),
      right("malformed", "MALFORMED", 9, 1, "malformed"),
    ],
    firstSort: "interface",
    canReverse: true,
    takesFilter: false,
    nothing: "No interfaces.",
    refreshMs: 0,
  },
  dns: {
    label: "DNS",
    columns: [
      left("time", "TIME", 8, 0, 8),
      left("client", "CLIENT", 15, 1, 6),
      left("name", "NAME", 18, 3, 9),
      left("type", "TYPE", 5, 0, 5),
      left("rcode", "ANSWER", 8, 0, 7),
      right("latency", "TOOK", 8, 4),
      left("answers", "ADDRESSES", 15, 2, 3),
      left("server", "ASKED", 15, 0, 2),
    ],
    firstSort: null,
    canReverse: false,
    takesFilter: false,
    nothing: "No lookups.",
    refreshMs: 0,
  },
};

/** What Enter on a row leads to. */
export type Target = { kind: "connection"; id: string } | { kind: "filter"; text: string };

export interface Row {
  /** By key of the column; text as it came, not yet made safe. */
  cells: Readonly<Record<string, string>>;
  target: Target | null;
}

/** The columns that can be sorted by, in their order. */
export function sortable(view: View): Column[] {
  return DEFINITIONS[view].columns.filter(({ sort }) => sort !== null);
}
