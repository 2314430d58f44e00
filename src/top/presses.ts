import type { Key } from "ink";
import { charactersOf } from "./text.ts";

export const NAMED_KEYS = [
  "up",
  "down",
  "left",
  "right",
  "pageup",
  "pagedown",
  "home",
  "end",
  "enter",
  "escape",
  "tab",
  "backtab",
  "backspace",
  "delete",
] as const;
export type NamedKey = (typeof NAMED_KEYS)[number];

/** One key: a character as typed, a character with Ctrl, or a key with a name. */
export type Press =
  | { kind: "text"; text: string }
  | { kind: "ctrl"; letter: string }
  | { kind: "key"; key: NamedKey };

const named = (key: NamedKey): Press => ({ kind: "key", key });

/** Characters that stand for keys when several arrive at once, as over a slow line or from a paste. */
const CONTROLS: ReadonlyMap<string, Press> = new Map([
  ["\r", named("enter")],
  ["\n", named("enter")],
  ["\t", named("tab")],
  ["\u001b", named("escape")],
  ["\u007f", named("backspace")],
  ["\b", named("backspace")],
]);

function namedKey(key: Key): NamedKey | null {
  if (key.upArrow) return "up";
  if (key.downArrow) return "down";
  if (key.leftArrow) return "left";
  if (key.rightArrow) return "right";
  if (key.pageUp) return "pageup";
  if (key.pageDown) return "pagedown";
  if (key.home) return "home";
  if (key.end) return "end";
  if (key.return) return "enter";
  if (key.escape) return "escape";
  if (key.tab) return key.shift ? "backtab" : "tab";
  if (key.backspace) return "backspace";
  return key.delete ? "delete" : null;
}

function pressOf(character: string): Press {
  const control = CONTROLS.get(character);
  if (control !== undefined) return control;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20) return { kind: "text", text: character };
  return { kind: "ctrl", letter: String.fromCharCode(code + 0x60) };
}

/**
 * The keys in what Ink hands over: one, or as many as arrived together. A key with Alt is sent as Escape and the key,
 * and so are the two when they arrive together: no key here has Alt, so it is the two.
 */
export function pressesOf(input: string, key: Key): Press[] {
  const name = namedKey(key);
  if (name !== null) return [named(name)];
  if (key.meta) return [named("escape"), ...charactersOf(input).map(pressOf)];
  if (key.ctrl) return input.length === 1 ? [{ kind: "ctrl", letter: input }] : [];
  return charactersOf(input).map(pressOf);
}

/** Whether the key stops the program until the shell continues it: Ctrl-Z, which raw mode leaves to the program. */
export function isStopKey(press: Press): boolean {
  return press.kind === "ctrl" && press.letter === "z";
}
