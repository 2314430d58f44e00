import * as z from "zod";
import { GROUP_KEYS } from "../history/question-types.ts";
import { LEVELS } from "../history/rollup-types.ts";

const count = z.int().nonnegative();
const timestamp = z.iso.datetime();
const level = z.enum(LEVELS).describe("raw: windows or packets; the others: sums by minute, hour or day");

const sums = {
  bytes: count.describe("Both ways"),
  packets: count,
  bytes_sent: count.describe("By the clients"),
  bytes_received: count.describe("By the clients"),
  packets_sent: count,
  packets_received: count,
  retransmits: count,
  rtt_ms: z.number().nonnegative().nullable().describe("Mean of the rows that have one"),
  rows: count.describe("Rows of history that were added up"),
};

const sumsSchema = z.strictObject({
  ...sums,
  points: z
    .array(z.strictObject({ time: timestamp.describe("Where it begins"), ...sums }))
    .optional()
    .describe("With a step, oldest first"),
});

const key = z
  .partialRecord(z.enum(GROUP_KEYS), z.union([z.string(), z.int()]).nullable())
  .describe("What was grouped by; null for no name");

/** What a level of history covers. */
export const levelFields = {
  level,
  since: timestamp.nullable().describe("All from then on is there; null: nothing was ever deleted"),
  until: timestamp.nullable().describe("All before is summed; null: nothing yet, or all for raw"),
  incomplete: z
    .strictObject({ since: timestamp, until: timestamp })
    .optional()
    .describe("In here something was deleted for want of space before it was summed"),
};

export const coverageSchema = z
  .array(z.strictObject(levelFields))
  .describe("What each level of history answers for, finest first");

/** What every answer made of sums says of itself. */
export const answerFields = {
  since: timestamp.describe("What was summed, moved outwards where nothing finer is left"),
  until: timestamp,
  level: level.describe("The coarsest level that was read"),
  parts: z
    .array(z.strictObject({ level, since: timestamp, until: timestamp }))
    .describe("Which level was read for which time, oldest first"),
  coverage: coverageSchema,
  scanned: count.describe("Rows and sums that were read"),
  notes: z.array(z.string()).describe("Where the answer is less than was asked; empty mostly"),
};

const counts = {
  group_count: count.describe("Groups in all; a lower bound when pruned"),
  pruned: z
    .boolean()
    .describe(
      "More groups than fit in memory: the smallest went to other, and may be listed with too little",
    ),
};

const step = z.number().positive().describe("Seconds");

/** Sums by group: `/api/top`, and `/api/history` with group_by or step. */
export const sumsAnswerSchema = z.strictObject({
  groups: z.array(z.strictObject({ key, ...sumsSchema.shape })).describe("Largest first"),
  other: sumsSchema.describe("Of groups that are not listed"),
  total: sumsSchema,
  ...counts,
  step: step.optional(),
  ...answerFields,
});

const column = z.array(count);
const series = { bytes: column, packets: column, bytes_sent: column, bytes_received: column };

export const timeseriesSchema = z.strictObject({
  points: z.array(timestamp).describe("Where each point begins, oldest first"),
  step,
  series: z.array(z.strictObject({ key, ...series })).describe("Largest first; none without by"),
  other: z.strictObject(series).describe("Of groups without a series"),
  total: z.strictObject(series),
  ...counts,
  ...answerFields,
});
