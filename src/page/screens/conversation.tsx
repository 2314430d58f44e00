import { useMemo } from "preact/hooks";
import { Chart } from "../chart/chart.tsx";
import { chartData } from "../chart/points.ts";
import type { GroupKey, HistoryAnswer, TimeseriesAnswer } from "../data/answers.ts";
import { termsOf } from "../filter/edit.ts";
import { Drawer } from "../parts/drawer.tsx";
import { Answer, Notes } from "../parts/notice.tsx";
import { WireText } from "../parts/text.tsx";
import { questionEvery } from "../state/every.ts";
import { usePage } from "../state/page.ts";
import { apiPath } from "../state/place.ts";
import { pastRange, rangeQuery } from "../state/range.ts";
import { useAsk } from "../state/use-ask.ts";
import { formatBytes, formatMoment } from "../text/format.ts";
import { endpointText } from "../text/services.ts";
import { sourceSentence } from "../text/words.ts";
import { sumByConnection } from "./connection-sums.ts";

const HEIGHT = 170;
const ROWS = 200;

/** What two ends said to each other in a time of the past: over time, and by which connections. */
export function Conversation({ conversation }: { conversation: GroupKey }) {
  const { place, client } = usePage();
  const q = termsOf(conversation);
  const range = rangeQuery(place.range);
  const every = questionEvery(place.range, () => client.agentNow());
  const series = useAsk<TimeseriesAnswer>(apiPath("/api/timeseries", { q, ...range }), { every });
  const rows = useAsk<HistoryAnswer>(apiPath("/api/history", { q, ...range, limit: ROWS }), {
    every: () => every({}),
  });
  const { client: who, server, server_port, protocol, domain } = conversation;
  const source = rows.answer?.items.find((item) => typeof item.domain_source === "string")?.domain_source;
  return (
    <Drawer title={<WireText text={String(domain ?? server ?? "")} />}>
      <div class="ends">
        <div class="end">
          <span class="muted">Client</span>
          <span class="address">{who}</span>
        </div>
        <span class="ends-arrow" aria-hidden="true">
          →
        </span>
        <div class="end">
          <span class="muted">Server</span>
          <span class="address">{endpointText(String(server), Number(server_port), String(protocol))}</span>
        </div>
        <span class="badge">past</span>
      </div>
      {typeof source === "string" && <p class="how-named">{sourceSentence(source)}</p>}
      <section>
        <h3>Over time</h3>
        <Answer asked={series}>{(answer) => <ConversationChart answer={answer} />}</Answer>
      </section>
      <section>
        <h3>Its connections</h3>
        <Answer asked={rows}>{(answer) => <ConnectionList answer={answer} />}</Answer>
      </section>
    </Drawer>
  );
}

function ConversationChart({ answer }: { answer: TimeseriesAnswer }) {
  const { go, client } = usePage();
  const data = useMemo(() => chartData(answer, null, client.agentNow()), [answer]);
  return (
    <>
      <Chart
        data={data}
        sinceMs={Date.parse(answer.since)}
        untilMs={Date.parse(answer.until)}
        height={HEIGHT}
        label="Traffic of this conversation over time"
        onZoom={(from, to) => go({ range: pastRange(from, to) })}
      />
      <Notes notes={answer.notes} />
    </>
  );
}

function ConnectionList({ answer }: { answer: HistoryAnswer }) {
  const { go, client } = usePage();
  const found = sumByConnection(answer.items);
  if (found.length === 0) {
    return (
      <p class="empty muted">
        Single connections are kept for a shorter time than sums: of this time only the sums are left.
      </p>
    );
  }
  return (
    <>
      <ul class="lookups">
        {found.map(({ id, port, firstMs, lastMs, bytes }) => (
          <li key={id}>
            <button type="button" class="linklike" onClick={() => go({ id })}>
              from port {port}
            </button>
            <span class="muted">
              {formatMoment(firstMs, client.agentNow())}
              {lastMs !== firstMs && ` – ${formatMoment(lastMs, client.agentNow())}`}
            </span>
            <span class="figure">{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
      {answer.has_more && <p class="muted">Only those of the newest {ROWS} rows.</p>}
    </>
  );
}
