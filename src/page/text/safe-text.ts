// Characters that are not seen, or that change how others are: controls, format characters (bidirectional
// overrides and isolates, joiners, tags), separators of lines, surrogates without their half, private use.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\u115f\u1160\u3164\uffa0]/gu;

/** Text from the wire with what is not visible written as `\u{202e}`, so that it neither hides nor turns anything. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (unseen) => `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`);
}
