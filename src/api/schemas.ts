import * as z from "zod";
import { SHED_STEPS } from "../flow/restraint.ts";
import { TCP_STATES } from "../flow/types.ts";
import { ERROR_CODES } from "./errors.ts";
import { dnsSchema, namingFields, storedNamingFields } from "./names-schemas.ts";
import { coverageSchema, levelFields } from "./question-schemas.ts";
import { SUGGEST_FIELDS } from "./query.ts";

const count = z.int().nonnegative();
const rate = z.number().nonnegative();
const milliseconds = z.number().nonnegative().nullable();
const direction = z.enum(["ingress", "egress"]);
const timestamp = z.iso.datetime();

export const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.enum(ERROR_CODES),
    message: z.string(),
    problems: z.array(z.string()).optional(),
    position: z
      .strictObject({ parameter: z.string(), at: count, length: count })
      .optional()
      .describe("Where a filter is wrong: UTF-16 units from its beginning"),
  }),
});

export const indexSchema = z.strictObject({
  name: z.literal("ayaflow"),
  version: z.string(),
  commit: z.string(),
  routes: z.array(z.string()),
});

const runtimeSchema = z
  .strictObject({
    interface: z.string().describe("As configured, comma list"),
    port: z.int(),
    db_path: z.string(),
    connection_timeout: z.number().describe("Seconds"),
    data_retention_seconds: z.number(),
    aggregation_window_seconds: z.number(),
    resolve_dns: z.boolean(),
    deep_inspect: z.boolean(),
    enable_ipv6: z.literal(true),
    allowed_ips: z.array(z.string()),
  })
  .describe("The configuration in force");

export const healthSchema = z.strictObject({
  status: z.enum(["ok", "degraded"]),
  active_connections: count,
  total_packets: count,
  reasons: z.array(z.string()).describe("One sentence each; empty when ok"),
  runtime: runtimeSchema.optional().describe("Absent for those let in only because health is public"),
});

const totals = {
  uptime_seconds: count,
  total_packets: count.describe("Each once, however many interfaces saw it"),
  total_bytes: count,
  active_connections: count,
  packets_per_second: rate.describe("Over the last seconds"),
  bytes_per_second: rate.describe("Over the last seconds"),
  coverage: z.number().min(0).max(1).describe("Share of IP packets counted on a connection"),
};

export const statsSchema = z.strictObject({
  ...totals,
  attributed_packets: count.describe("Counted on a connection, each once"),
  attributed_bytes: count,
  duplicate_packets: count.describe("Of connections, seen again at further interfaces; not in the totals"),
  duplicate_bytes: count,
  runtime: runtimeSchema,
  interfaces: z.array(
    z.strictObject({
      interface: z.string(),
      direction,
      packets: count,
      bytes: count,
      attributed_packets: count,
      attributed_bytes: count,
      overflow_packets: count.describe("Not on a connection because the table was full"),
      overflow_bytes: count,
      not_ip_packets: count,
      not_ip_bytes: count,
      malformed_packets: count,
      malformed_bytes: count,
    }),
  ),
  losses: z.array(z.strictObject({ stage: z.string(), reason: z.string(), count })),
  table: z.strictObject({ used: count, size: count }),
  ring: z.strictObject({ used_bytes: count, size_bytes: count }),
  restraint: z
    .strictObject({
      cpu_percent: rate.describe("User and system time of the agent over the last seconds, of one core"),
      cpu_budget_percent: rate.describe("0 is no budget"),
      resident_bytes: count,
      memory_budget_bytes: count.describe("0 is no budget"),
      shed: z.array(z.enum(SHED_STEPS)).describe("In the order in which it went"),
    })
    .describe("The agent's own use, its budget, and what it does not do to keep to it"),
  history: z
    .strictObject({
      rows_written: count,
      rows_dropped: z.record(z.string(), count).describe("By reason"),
      queued: count,
      queue_capacity: count,
      database_bytes: count,
      failing: z.string().nullable().describe("Why rows are not being written; null when they are"),
      levels: z
        .array(
          z.strictObject({
            ...levelFields,
            parts: count.describe("Pieces that its sums are stored in; 0 for raw"),
            bytes: count.describe("Of its sums; 0 for raw"),
            lost: count.describe(
              "Rows or parts below it that went for want of space before they were in it, ever",
            ),
          }),
        )
        .describe("Finest first"),
      folding_lag_seconds: rate.describe("Time of history that could be summed by minute and is not yet"),
    })
    .nullable(),
  stream_clients: count,
});

const connectionSchema = z.strictObject({
  connection: z.string().describe("client -> server as ip:port, IPv6 as [ip]:port"),
  stats: z.strictObject({
    bytes_sent: count.describe("By the client"),
    bytes_received: count.describe("By the client"),
    packets_count: count.describe("Both ways"),
    packets_sent: count,
    packets_received: count,
    packets_per_second: rate,
    bytes_per_second: rate,
    rtt_ms: milliseconds.describe("Whole TCP handshake; null where it was not seen"),
    rtt_client_ms: milliseconds.describe("Between here and the client"),
    rtt_server_ms: milliseconds.describe("Between here and the server"),
    retransmits_sent: count,
    retransmits_received: count,
    out_of_order_sent: count,
    out_of_order_received: count,
    first_seen: timestamp,
    last_seen: timestamp,
    tcp_flags_sent: count.describe("Every flag seen, RFC 9293 bit order, FIN = 1"),
    tcp_flags_received: count,
  }),
  id: z.string().describe("The same while the connection lives"),
  client_ip: z.string(),
  client_port: count,
  server_ip: z.string(),
  server_port: count,
  protocol: z.string().describe("IANA name, or the number"),
  interface: z.string().describe("The one that saw it first"),
  observation_points: z
    .array(
      z.strictObject({
        interface: z.string(),
        direction: direction.describe("Of the client's packets there"),
        packets_sent: count.describe("By the client, as seen there"),
        bytes_sent: count,
        packets_received: count,
        bytes_received: count,
      }),
    )
    .describe("Interfaces that see it, in the order in which they first did"),
  direction: direction.describe("Of the client's packets, at the first interface"),
  state: z.enum(TCP_STATES),
  ...namingFields,
});

export const liveSchema = z.strictObject({
  connections: z.array(connectionSchema),
  matched: count.describe("Connections that fit the filter, before offset and limit"),
  offset: count,
  total_packets: count,
  total_bytes: count,
});

const historyItemSchema = z.strictObject({
  timestamp: count.describe("Milliseconds since the epoch: of the packet, or the start of the window"),
  timestamp_us: count.optional().describe("Of a packet, in microseconds since the epoch"),
  src_ip: z.string().describe("Of a window: the client"),
  dst_ip: z.string(),
  src_port: count,
  dst_port: count,
  protocol: z.string(),
  length: count.describe("Bytes of the row, both ways"),
  direction,
  interface: z.string().describe("The one that saw it first"),
  observation_points: z.array(z.string()).describe("Interfaces that saw it, in the order in which they did"),
  row_type: z.enum(["raw", "aggregated"]),
  packet_count: count,
  bytes_sent: count,
  bytes_received: count,
  packets_sent: count,
  packets_received: count,
  tcp_flags: count,
  rtt_ms: milliseconds,
  retransmits: count,
  ...storedNamingFields,
  connection_id: z.string().optional().describe("Its story is at /api/connections/{id}"),
});

export const historyPageSchema = z.strictObject({
  items: z.array(historyItemSchema),
  limit: count,
  offset: count,
  returned: count,
  has_more: z.boolean(),
  next_cursor: z.string().nullable().describe("Pass as cursor for the next, older page"),
  coverage: coverageSchema,
});

export const storySchema = z.strictObject({
  connection: connectionSchema.nullable().describe("null when it is not live any more"),
  live: z.boolean(),
  history: z.strictObject({
    items: z.array(historyItemSchema).describe("Newest first, 500 at most"),
    has_more: z.boolean().describe("There are older rows of it"),
  }),
  lookups: dnsSchema.shape.lookups.describe("Of its name by its client, newest first"),
});

export const suggestSchema = z.strictObject({
  field: z.enum(SUGGEST_FIELDS),
  values: z.array(z.string()).describe("Those of the most bytes first"),
});

const connections = z.array(connectionSchema);

export const streamMessageSchema = z.union([
  z.strictObject({ topic: z.literal("stats"), ...totals }),
  z.strictObject({
    topic: z.literal("connections"),
    opened: connections,
    updated: connections,
    retired: connections,
    truncated: z.boolean(),
  }),
]);
