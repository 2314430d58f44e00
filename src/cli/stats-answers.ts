/** The parts of `/api/stats` and `/api/health` that are shown. What else is in them is ignored. */
import * as z from "zod";
import { statsSchema as shownSchema } from "../top/answers.ts";
import { coverageSchema } from "./history-answers.ts";

const count = z.number();

/** What a level of history covers and takes. */
export const levelsSchema = z.array(coverageSchema.element.extend({ bytes: count, lost: count }));
export type LevelsAnswer = z.infer<typeof levelsSchema>;

export const statsSchema = shownSchema.extend({
  total_packets: count,
  total_bytes: count,
  attributed_packets: count,
  duplicate_packets: count,
  table: z.object({ used: count, size: count }),
  history: z
    .object({
      rows_written: count,
      queued: count,
      database_bytes: count,
      failing: z.string().nullable(),
      levels: levelsSchema,
    })
    .nullable(),
});
export type StatsAnswer = z.infer<typeof statsSchema>;

export const healthSchema = z.object({ status: z.string(), reasons: z.array(z.string()) });
export type HealthAnswer = z.infer<typeof healthSchema>;
