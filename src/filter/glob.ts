/**
 * Whether `text` is what a pattern of `*` (any characters, none too) and `?` (one character) says. Time is bounded by
 * the product of the lengths: only the last star is ever tried again.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern);
  const found = Array.from(text);
  let star = -1;
  let resume = 0;
  let place = 0;
  for (let index = 0; index < found.length; ) {
    if (wanted[place] === "*") {
      star = place++;
      resume = index;
    } else if (wanted[place] === "?" || wanted[place] === found[index]) {
      place++;
      index++;
    } else if (star >= 0) {
      place = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  return wanted.slice(place).every((character) => character === "*");
}
