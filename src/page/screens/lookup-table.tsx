import type { LookupAnswer } from "../data/answers.ts";
import { FilterLink } from "../parts/filter-link.tsx";
import { WireText } from "../parts/text.tsx";
import { usePage } from "../state/page.ts";
import { formatMoment, formatMs } from "../text/format.ts";
import { isFailure } from "./dns-summary.ts";
import { rcodeWords } from "./rcodes.ts";

const SHOWN = 200;

/** Lookups, one a row. */
export function LookupTable({ lookups }: { lookups: readonly LookupAnswer[] }) {
  if (lookups.length === 0) return null;
  return (
    <>
      <div class="table-plain">
        <table class="table dns">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Name</th>
              <th scope="col">Type</th>
              <th scope="col">Result</th>
              <th scope="col" data-number="">
                Latency
              </th>
              <th scope="col">Client</th>
              <th scope="col">Server</th>
              <th scope="col">Answers</th>
            </tr>
          </thead>
          <tbody>
            {lookups.slice(0, SHOWN).map((lookup) => (
              <LookupRow
                key={`${lookup.time} ${lookup.client_port} ${lookup.name} ${lookup.type}`}
                lookup={lookup}
              />
            ))}
          </tbody>
        </table>
      </div>
      {lookups.length > SHOWN && (
        <p class="more muted">Only the newest {SHOWN} are listed; a filter finds others.</p>
      )}
    </>
  );
}

function LookupRow({ lookup }: { lookup: LookupAnswer }) {
  const { client } = usePage();
  return (
    <tr>
      <td class="muted" data-label="Time">
        {formatMoment(Date.parse(lookup.time), client.agentNow())}
      </td>
      <td class="lookup-name" data-label="Name">
        <FilterLink by="domain" value={lookup.name} />
      </td>
      <td data-label="Type">{lookup.type}</td>
      <td data-label="Result">
        <span class={isFailure(lookup) ? "failed" : undefined} title={rcodeWords(lookup.rcode)}>
          {lookup.rcode ?? "no answer"}
        </span>
      </td>
      <td data-number="" data-label="Latency">
        {formatMs(lookup.latency_ms)}
      </td>
      <td class="address" data-label="Client">
        {lookup.client}
      </td>
      <td class="address" data-label="Server">
        {lookup.server}
        {lookup.transport !== "udp" && <span class="tag">{lookup.transport}</span>}
      </td>
      <td class="address lookup-answer" data-label="Answers">
        <WireText text={lookup.answers.join(", ")} />
      </td>
    </tr>
  );
}
