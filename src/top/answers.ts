/** The parts of the API's answers that are shown. What else is in them is ignored, so that a newer agent can be asked. */
import * as z from "zod";

const count = z.number();
const milliseconds = z.number().nullable();

const direction = z.enum(["ingress", "egress"]);

export const statsSchema = z.object({
  uptime_seconds: count,
  active_connections: count,
  bytes_per_second: count,
  packets_per_second: count,
  coverage: count,
  interfaces: z.array(
    z.object({
      interface: z.string(),
      direction,
      packets: count,
      bytes: count,
      attributed_packets: count,
      overflow_packets: count,
      not_ip_packets: count,
      malformed_packets: count,
    }),
  ),
  losses: z.array(z.object({ stage: z.string(), reason: z.string(), count })),
});
export type StatsAnswer = z.infer<typeof statsSchema>;

/** More interfaces than one are watched: what crosses several would be in the sums of their rates several times. */
export function watchesSeveral({ interfaces }: StatsAnswer): boolean {
  return interfaces.some((one) => one.interface !== interfaces[0]?.interface);
}

export const healthSchema = z.object({ reasons: z.array(z.string()) });

const connectionSchema = z.object({
  id: z.string(),
  client_ip: z.string(),
  client_port: count,
  server_ip: z.string(),
  server_port: count,
  protocol: z.string(),
  interface: z.string(),
  observation_points: z.array(z.object({ interface: z.string(), direction })),
  direction,
  state: z.string(),
  domain: z.string().nullable(),
  domain_source: z.string().nullable(),
  alpn: z.array(z.string()),
  tls_version: z.string().nullable(),
  ja4: z.string().nullable(),
  ech: z.boolean(),
  stats: z.object({
    bytes_sent: count,
    bytes_received: count,
    packets_sent: count,
    packets_received: count,
    packets_per_second: count,
    bytes_per_second: count,
    rtt_ms: milliseconds,
    rtt_client_ms: milliseconds,
    rtt_server_ms: milliseconds,
    retransmits_sent: count,
    retransmits_received: count,
    out_of_order_sent: count,
    out_of_order_received: count,
    first_seen: z.string(),
    last_seen: z.string(),
    tcp_flags_sent: count,
    tcp_flags_received: count,
  }),
});
export type LiveConnection = z.infer<typeof connectionSchema>;

export const liveSchema = z.object({ connections: z.array(connectionSchema), matched: count });

/** Groups of `/api/top?by=` one key. */
export const topSchema = z.object({
  groups: z.array(
    z.object({
      key: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
      bytes: count,
      bytes_sent: count,
      bytes_received: count,
      packets: count,
      retransmits: count,
      rtt_ms: milliseconds,
    }),
  ),
  group_count: count,
});
export type TopGroup = z.infer<typeof topSchema>["groups"][number];

const lookupSchema = z.object({
  time: z.string(),
  transport: z.string(),
  client: z.string(),
  server: z.string(),
  name: z.string(),
  type: z.string(),
  rcode: z.string().nullable(),
  latency_ms: milliseconds,
  answers: z.array(z.string()),
});
export type LookupRow = z.infer<typeof lookupSchema>;

export const dnsSchema = z.object({ enabled: z.boolean(), lookups: z.array(lookupSchema) });

/** A row of a connection's history. */
const historyRowSchema = z.object({
  timestamp: count,
  bytes_sent: count,
  bytes_received: count,
  packets_sent: count,
  packets_received: count,
  retransmits: count,
  rtt_ms: milliseconds,
});

export const storySchema = z.object({
  connection: connectionSchema.nullable(),
  history: z.object({ items: z.array(historyRowSchema) }),
  lookups: z.array(lookupSchema),
});
export type Story = z.infer<typeof storySchema>;

export const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    problems: z.array(z.string()).optional(),
    position: z.object({ parameter: z.string(), at: count, length: count }).optional(),
  }),
});
