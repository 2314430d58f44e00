import type { LookupAnswer } from "../data/answers.ts";
import { WireText } from "../parts/text.tsx";
import { usePage } from "../state/page.ts";
import { formatMoment, formatMs } from "../text/format.ts";

const SHOWN = 10;

interface StoryLookupsProps {
  lookups: readonly LookupAnswer[];
  name: string | null;
}

/** The DNS lookups of the client for the server's name. */
export function StoryLookups({ lookups, name }: StoryLookupsProps) {
  const { client } = usePage();
  if (name === null) return null;
  return (
    <section>
      <h3>Lookups that led here</h3>
      {lookups.length === 0 ? (
        <p class="empty muted">
          The client was not seen asking for this name, as far as the agent remembers.
        </p>
      ) : (
        <ul class="lookups">
          {lookups.slice(0, SHOWN).map((lookup) => (
            <li key={`${lookup.time} ${lookup.type} ${lookup.client_port}`}>
              <span class="lookup-when muted">
                {formatMoment(Date.parse(lookup.time), client.agentNow())}
              </span>
              <span>
                {lookup.type} at <span class="address">{lookup.server}</span>: {lookup.rcode ?? "no answer"}{" "}
                <span class="muted">
                  {lookup.latency_ms === null ? "" : `in ${formatMs(lookup.latency_ms)}`}
                </span>
              </span>
              {lookup.answers.length > 0 && (
                <span class="lookup-answers address">
                  <WireText text={lookup.answers.join("  ")} />
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
