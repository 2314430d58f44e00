import { fitLine, type Span, span } from "./spans.ts";
import type { TopState } from "./state.ts";

const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["1 - 5, Tab", "Connections, names, talkers, interfaces, DNS"],
  ["Up Down PgUp PgDn", "Move; Home and End go to the ends"],
  ["Enter", "All about a connection; connections of a name or talker"],
  ["Esc", "Back"],
  ["s or >, <", "Sort by the next column, by the one before"],
  ["r", "Reverse the order"],
  ["/", "Filter, applied while you type; Tab completes"],
  ["p, Space", "Pause: nothing is asked until you press it again"],
  ["q, Ctrl-C", "Quit; Ctrl-Z stops, and fg goes on"],
];

const EXAMPLES = ["host 10.0.0.0/8 and (port 443 or proto udp)", "domain *.github.com and not iface lo"];

/** The keys and what they do. */
export function helpLines({ size, looks }: TopState): Span[][] {
  const keys = KEYS.map(([key, meaning]) => [span(key.padEnd(19), "bold"), span(meaning)]);
  const examples = EXAMPLES.map((text, index) => [
    span((index === 0 ? "Filters, such as" : "").padEnd(19), "bold"),
    span(text),
  ]);
  const all = [[span("Keys", "bold", "underline")], ...keys, ...examples, [span("Any key closes this.")]];
  return all.map((line) => fitLine(line, size.columns, looks.ascii));
}
