import { escapeControl } from "../log.ts";
import {
  type OptionKey,
  type Settings,
  envName,
  isOptionKey,
  longFlag,
  optionOf,
  settingsSchema,
} from "./options.ts";

export type Source = "flag" | "env" | "file" | "default";

/** What one source says, as it says it, by YAML key. */
export interface Layer {
  source: Exclude<Source, "default">;
  /** Path of the file; null for flags and environment. */
  file: string | null;
  values: Readonly<Record<string, unknown>>;
}

const MAX_SHOWN = 80;

/** A value as a message shows it: quoted if it is text, one line, bounded. */
export function showValue(value: unknown): string {
  const text = escapeControl(JSON.stringify(value) ?? String(value));
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

/** Where `layer` has `key`: `--port`, `AYAFLOW_PORT` or `/etc/ayaflow.yaml: port`. */
export function placeOf(layer: Pick<Layer, "source" | "file">, key: OptionKey): string {
  if (layer.source === "flag") return longFlag(key);
  return layer.source === "env" ? envName(key) : `${layer.file}: ${key}`;
}

/** A value and the option it is for; a list of one, as flags give it, shows as its element. */
function problem(layer: Layer, key: OptionKey, value: unknown): string {
  const shown = layer.source === "flag" && Array.isArray(value) && value.length === 1 ? value[0] : value;
  return `${placeOf(layer, key)}: ${showValue(shown)} is not allowed; give ${optionOf(key).allowed}`;
}

/** The settings of one source that are right, and a line for each that is wrong. Keys must be options. */
export function checkLayer(layer: Layer): { settings: Partial<Settings>; problems: string[] } {
  const result = settingsSchema.safeParse(layer.values, { reportInput: true });
  if (result.success) return { settings: result.data as Partial<Settings>, problems: [] };
  const problems = new Map<string, string>();
  const bad = new Set<string>();
  for (const { path, input } of result.error.issues) {
    const key = String(path[0]);
    if (!isOptionKey(key)) continue;
    bad.add(key);
    // An element of a list is shown alone; any other value as it was written, before it was parsed.
    problems.set(path.join("."), problem(layer, key, path.length > 1 ? input : layer.values[key]));
  }
  const good = Object.fromEntries(Object.entries(layer.values).filter(([key]) => !bad.has(key)));
  return { settings: settingsSchema.parse(good) as Partial<Settings>, problems: [...problems.values()] };
}
