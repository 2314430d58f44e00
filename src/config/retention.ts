import type { Source } from "./layer.ts";
import { longFlag, type OptionKey, type Settings } from "./options.ts";
import { formatDuration } from "./values.ts";

/** Finest first. */
const LEVELS = ["retention_raw", "retention_minute", "retention_hour", "retention_day"] as const;

const words = (seconds: number) => (seconds === 0 ? "as long as there is space" : formatDuration(seconds));
const lasting = (seconds: number) => (seconds === 0 ? Infinity : seconds);

/** What of the retentions is allowed but hardly meant: a level kept longer than a coarser one, or than anything is. */
export function retentionWarnings(
  settings: Settings,
  sources: Readonly<Partial<Record<OptionKey, Source>>>,
): string[] {
  const bound = lasting(settings.data_retention_seconds);
  const kept = (key: (typeof LEVELS)[number]) => Math.min(lasting(settings[key]), bound);
  const longer = LEVELS.slice(1).flatMap((key, index) => {
    const finer = LEVELS[index] ?? key;
    if (kept(finer) <= kept(key)) return [];
    return [
      `${longFlag(finer)} (${words(settings[finer])}) is longer than ${longFlag(key)} (${words(settings[key])}): the finer level takes more space`,
    ];
  });
  const cut = LEVELS.flatMap((key) => {
    const seconds = settings[key];
    if (sources[key] === "default" || seconds === 0 || seconds <= bound) return [];
    return [
      `${longFlag(key)} (${words(seconds)}) is cut to ${longFlag("data_retention_seconds")} (${words(settings.data_retention_seconds)})`,
    ];
  });
  return [...longer, ...cut];
}
