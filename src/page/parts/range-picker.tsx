import { usePage } from "../state/page.ts";
import { isSameRange, LIVE, PRESETS } from "../state/range.ts";
import { formatStretch } from "../text/format.ts";

/** Which time the screens show. */
export function RangePicker() {
  const { place, go } = usePage();
  return (
    <div class="segments" role="group" aria-label="Time shown">
      {PRESETS.map(({ label, words, range }) => (
        <button
          key={label}
          type="button"
          aria-pressed={isSameRange(range, place.range)}
          aria-label={`${label}: ${words}`}
          title={words}
          onClick={() => go({ range, id: null })}
        >
          {range.kind === "live" && <span class="dot" aria-hidden="true" />}
          {label}
        </button>
      ))}
    </div>
  );
}

/** Says that the past is shown, and leads back; nothing while live. */
export function PastBanner() {
  const { place, go, client } = usePage();
  const { range } = place;
  if (range.kind === "live") return null;
  const preset = PRESETS.find((one) => isSameRange(one.range, range));
  const words =
    range.kind === "past"
      ? `You are looking at the past: ${formatStretch(range.sinceMs, range.untilMs, client.agentNow())}`
      : `${preset?.words ?? `Since ${formatStretch(client.agentNow() - range.ms, client.agentNow(), client.agentNow())}`}, from history`;
  return (
    <div class="banner" data-kind="past" role="status">
      <span>
        {words}
        {place.view === "health" && ". This screen always shows now."}
      </span>
      <button type="button" onClick={() => go({ range: LIVE, id: null })}>
        Back to live
      </button>
    </div>
  );
}
