import type { LookupAnswer } from "../data/answers.ts";
import { formatCount, formatMs, formatShare } from "../text/format.ts";
import { countRcodes, latencyAt, latencyBars } from "./dns-summary.ts";
import { rcodeWords } from "./rcodes.ts";

const SHOWN_CODES = 6;
/** Pixels of a column that its count and its label take. */
const COLUMN_WORDS = 38;

/** How the lookups ended. */
export function RcodeCard({ lookups }: { lookups: readonly LookupAnswer[] }) {
  const counts = countRcodes(lookups);
  return (
    <section class="card" aria-label="Response codes">
      <h2>Response codes</h2>
      {counts.length === 0 && <p class="empty muted">No lookup in this time.</p>}
      <ul class="ranked">
        {counts.slice(0, SHOWN_CODES).map(({ rcode, count }) => (
          <li key={rcode ?? ""}>
            <span class="ranked-main" data-mood={rcode === "NOERROR" ? "good" : "bad"}>
              <span class="ranked-bar" style={{ width: `${(count / lookups.length) * 100}%` }} />
              <span class="ranked-name">
                {rcode ?? "no answer"} <span class="muted">{rcodeWords(rcode)}</span>
              </span>
              <span class="ranked-bytes">{formatCount(count)}</span>
              <span class="ranked-share muted">{formatShare(count / lookups.length)}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How long answers took. */
export function LatencyCard({ lookups }: { lookups: readonly LookupAnswer[] }) {
  const bars = latencyBars(lookups);
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <section class="card" aria-label="Time to the answer">
      <h2>
        Time to the answer{" "}
        <span class="muted hint">
          half within {formatMs(latencyAt(lookups, 0.5))}, 95% within {formatMs(latencyAt(lookups, 0.95))}
        </span>
      </h2>
      <ol class="columns">
        {bars.map(({ label, count }) => (
          <li key={label}>
            <span class="columns-count">{count === 0 ? "" : formatCount(count)}</span>
            <span
              class="columns-bar"
              style={{ height: `calc((100% - ${COLUMN_WORDS}px) * ${count / most})` }}
              aria-hidden="true"
            />
            <span class="columns-label muted">{label}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
