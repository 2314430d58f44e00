/** The parts of the API's answers that are shown. What else is in them is ignored, so that a newer agent can be asked. */
import * as z from "zod";

const time = z.iso.datetime().transform((text) => Date.parse(text));

export const sumsSchema = z.object({
  bytes: z.number(),
  packets: z.number(),
  bytes_sent: z.number(),
  bytes_received: z.number(),
  packets_sent: z.number(),
  packets_received: z.number(),
  retransmits: z.number(),
  rtt_ms: z.number().nullable(),
  rows: z.number(),
});
export type SumsAnswer = z.infer<typeof sumsSchema>;

const keySchema = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
export type GroupKeyAnswer = z.infer<typeof keySchema>;

export const coverageSchema = z.array(
  z.object({ level: z.string(), since: time.nullable(), until: time.nullable() }),
);
export type CoverageAnswer = z.infer<typeof coverageSchema>;

const about = {
  group_count: z.number(),
  pruned: z.boolean(),
  since: time,
  until: time,
  level: z.string(),
  parts: z.array(z.object({ level: z.string(), since: time, until: time })),
  coverage: coverageSchema,
  notes: z.array(z.string()),
};
const aboutSchema = z.object(about);
/** What an answer says of itself; times in milliseconds since the epoch. */
export type AboutAnswer = z.infer<typeof aboutSchema>;

export const groupsSchema = z.object({
  groups: z.array(sumsSchema.extend({ key: keySchema })),
  other: sumsSchema,
  total: sumsSchema,
  ...about,
});
export type GroupsAnswer = z.infer<typeof groupsSchema>;

const column = z.array(z.number());
const seriesSchema = z.object({ bytes: column, packets: column, bytes_sent: column, bytes_received: column });
export type SeriesColumns = z.infer<typeof seriesSchema>;

export const timeseriesSchema = z.object({
  points: z.array(time),
  step: z.number(),
  series: z.array(seriesSchema.extend({ key: keySchema })),
  other: seriesSchema,
  total: seriesSchema,
  ...about,
});
export type TimeseriesAnswer = z.infer<typeof timeseriesSchema>;

/** One row; `timestamp` in milliseconds since the epoch. */
export const rowSchema = z.object({
  timestamp: z.number(),
  src_ip: z.string(),
  dst_ip: z.string(),
  src_port: z.number(),
  dst_port: z.number(),
  protocol: z.string(),
  observation_points: z.array(z.string()),
  length: z.number(),
  bytes_sent: z.number(),
  bytes_received: z.number(),
  packet_count: z.number(),
  domain: z.string().optional(),
});
export type RowAnswer = z.infer<typeof rowSchema>;

/** Behind the rows where a limit left some out. */
export const nextSchema = z.object({ next_cursor: z.string() });
