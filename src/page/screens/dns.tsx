import { useMemo } from "preact/hooks";
import type { DnsAnswer, LookupAnswer } from "../data/answers.ts";
import { checkFilter } from "../filter/edit.ts";
import { Answer } from "../parts/notice.tsx";
import { useLive } from "../state/live.ts";
import { usePage } from "../state/page.ts";
import { apiPath } from "../state/place.ts";
import { rangeBounds } from "../state/range.ts";
import { useAsk } from "../state/use-ask.ts";
import { formatMoment, plural } from "../text/format.ts";
import { chooseLookups } from "./dns-summary.ts";
import { LatencyCard, RcodeCard } from "./dns-cards.tsx";
import { LookupTable } from "./lookup-table.tsx";

const EVERY_MS = 3000;
const ASKED = 1000;

/** The lookups that were seen: what was asked, what came of it and how fast. */
export function Dns() {
  const { place, go } = usePage();
  const asked = useAsk<DnsAnswer>(apiPath("/api/dns", { limit: ASKED }), { every: EVERY_MS });
  return (
    <>
      <div class="table-head">
        <h1>
          DNS <span class="muted hint">lookups that crossed this host, newest first</span>
        </h1>
        <label class="check">
          <input
            type="checkbox"
            checked={place.onlyFailures}
            onChange={(event) => go({ onlyFailures: event.currentTarget.checked }, "replace")}
          />
          Only failures
        </label>
      </div>
      <Answer asked={asked}>
        {(answer) => (answer.enabled ? <Lookups all={answer.lookups} /> : <Off />)}
      </Answer>
    </>
  );
}

/** Without deep inspection there is nothing, and this is how to have it. */
function Off() {
  return (
    <div class="card off">
      <h2>Deep inspection is off</h2>
      <p>
        The agent counts packets but does not look into them, so it knows neither DNS lookups nor names from
        TLS, QUIC and HTTP handshakes.
      </p>
      <p>
        To turn it on, start it with <code>--deep-inspect</code>, set <code>AYAFLOW_DEEP_INSPECT=true</code>,
        or write <code>deep_inspect: true</code> in its configuration file.
      </p>
    </div>
  );
}

function Lookups({ all }: { all: readonly LookupAnswer[] }) {
  const { place, client } = usePage();
  const { stats } = useLive();
  const now = client.agentNow();
  const { q, range, onlyFailures } = place;
  const checked = useMemo(() => checkFilter(q), [q]);
  const filter = checked.isValid ? checked.expression : null;
  // Live shows all that is remembered: there is no finer choice to be made.
  const { sinceMs, untilMs } =
    range.kind === "live" ? { sinceMs: 0, untilMs: Infinity } : rangeBounds(range, now);
  const inTime = chooseLookups(all, { filter, sinceMs, untilMs, onlyFailures: false });
  const shown = onlyFailures
    ? chooseLookups(inTime, { filter: null, sinceMs, untilMs, onlyFailures })
    : inTime;
  const oldest = all.at(-1);
  // Where none is remembered, the agent knows at least that there was none since it started.
  const rememberedMs =
    oldest === undefined ? now - (stats?.uptime_seconds ?? 0) * 1000 : Date.parse(oldest.time);
  const isCut = range.kind !== "live" && rememberedMs > sinceMs;
  return (
    <>
      {isCut && (
        <p class="notice" data-mood="warn">
          {oldest === undefined
            ? "The agent remembers its last lookups only since it started, and has seen none."
            : `The agent remembers its last lookups only: these are from ${formatMoment(rememberedMs, now)} on.`}
        </p>
      )}
      <div class="cards two">
        <RcodeCard lookups={inTime} />
        <LatencyCard lookups={inTime} />
      </div>
      <p class="table-note muted">
        {plural(shown.length, "lookup")}
        {shown.length < all.length && ` of the last ${all.length}`}
      </p>
      <LookupTable lookups={shown} />
    </>
  );
}
