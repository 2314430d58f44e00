import type { DomainSource } from "../../flow/naming.ts";
import type { TopAnswer } from "../data/answers.ts";
import { Answer, Notes } from "../parts/notice.tsx";
import { FilterLink } from "../parts/filter-link.tsx";
import { usePage } from "../state/page.ts";
import { useTop } from "../state/questions.ts";
import { formatBytes, formatMs, formatShare, plural } from "../text/format.ts";
import { sourceSentence, sourceShort } from "../text/words.ts";
import { mergeNames, type NameRow } from "./name-rows.ts";

const PAIRS = 300;
const FIGURES = ["Share", "Total", "Sent", "Received", "RTT"] as const;

/** Traffic by the name of the server. */
export function Names() {
  const { place, go } = usePage();
  const key = place.isFolded ? "registered_domain" : "domain";
  const asked = useTop(`${key},source`, PAIRS);
  return (
    <>
      <div class="table-head">
        <h1>
          Names <span class="muted hint">of the servers, with the traffic of both ways</span>
        </h1>
        <label class="check">
          <input
            type="checkbox"
            checked={place.isFolded}
            onChange={(event) => go({ isFolded: event.currentTarget.checked }, "replace")}
          />
          Fold names under the registered one
        </label>
      </div>
      <Answer asked={asked}>{(answer) => <NameTable answer={answer} by={key} />}</Answer>
    </>
  );
}

function NameTable({ answer, by }: { answer: TopAnswer; by: string }) {
  const rows = mergeNames(answer.groups, by);
  const largest = rows[0]?.bytes ?? 1;
  if (rows.length === 0) return <p class="empty muted">Nothing in this time.</p>;
  return (
    <>
      <div class="table-plain">
        <table class="table names">
          <thead>
            <tr>
              <th scope="col">Name</th>
              {FIGURES.map((label) => (
                <th key={label} scope="col" data-number="">
                  {label}
                </th>
              ))}
              <th scope="col">Known from</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <NameLine key={row.name ?? ""} row={row} by={by} total={answer.total.bytes} largest={largest} />
            ))}
          </tbody>
        </table>
      </div>
      {answer.group_count > answer.groups.length && (
        <p class="more muted">
          The rest, {plural(answer.group_count - answer.groups.length, "smaller name")}:{" "}
          {formatBytes(answer.other.bytes)}
        </p>
      )}
      <Notes notes={answer.notes} />
    </>
  );
}

interface NameLineProps {
  row: NameRow;
  by: string;
  total: number;
  largest: number;
}

function NameLine({ row, by, total, largest }: NameLineProps) {
  const figures = {
    Share: formatShare(total === 0 ? 0 : row.bytes / total),
    Total: formatBytes(row.bytes),
    Sent: formatBytes(row.sent),
    Received: formatBytes(row.received),
    RTT: formatMs(row.rttMs),
  };
  return (
    <tr>
      <th scope="row">
        <span class="ranked-bar" style={{ width: `${(row.bytes / largest) * 100}%` }} />
        <FilterLink by={by} value={row.name} />
      </th>
      {FIGURES.map((label) => (
        <td key={label} data-number="" data-label={label}>
          {figures[label]}
        </td>
      ))}
      <td data-label="Known from">
        <Sources sources={row.sources} />
      </td>
    </tr>
  );
}

function Sources({ sources }: { sources: readonly DomainSource[] }) {
  if (sources.length === 0) return <span class="muted">–</span>;
  return (
    <>
      {sources.map((source) => (
        <span key={source} class="tag" title={sourceSentence(source)}>
          {sourceShort(source)}
        </span>
      ))}
    </>
  );
}
