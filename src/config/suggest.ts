const MAX_DISTANCE = 3;
const LEAST_SIMILARITY = 0.5;
const LEAST_PREFIX = 4;

const normalize = (word: string) => word.toLowerCase().replaceAll("-", "_");

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The one of `known` that `word` was probably meant to be, or undefined. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const wanted = normalize(word);
  const scored = known
    .map((candidate) => ({ candidate, distance: editDistance(wanted, normalize(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = scored.find(
    ({ candidate, distance }) =>
      distance <= MAX_DISTANCE && distance <= Math.max(wanted.length, candidate.length) * LEAST_SIMILARITY,
  );
  if (best !== undefined) return best.candidate;
  return known.find(
    (candidate) =>
      (wanted.length >= LEAST_PREFIX && normalize(candidate).startsWith(wanted)) ||
      (candidate.length >= LEAST_PREFIX && wanted.startsWith(normalize(candidate))),
  );
}

/** `; did you mean X?`, or nothing. `prefix` goes before X. */
export function didYouMean(word: string, known: readonly string[], prefix = ""): string {
  const guess = suggest(word, known);
  return guess === undefined ? "" : `; did you mean ${prefix}${guess}?`;
}
