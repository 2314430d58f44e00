import type { StatsAnswer } from "../data/answers.ts";
import { Fact } from "../parts/drawer.tsx";
import { usePage } from "../state/page.ts";
import { formatBytes, formatCount, formatMoment } from "../text/format.ts";
import { levelName } from "../text/words.ts";

/** What history keeps, how far back and how large it is. */
export function HistoryCard({ stats }: { stats: StatsAnswer }) {
  const { client } = usePage();
  const { history, runtime } = stats;
  if (history === null)
    return (
      <p class="notice" data-mood="bad">
        History could not be opened.
      </p>
    );
  const moment = (text: string) => formatMoment(Date.parse(text), client.agentNow());
  const window = runtime.aggregation_window_seconds;
  return (
    <>
      {history.failing !== null && (
        <p class="notice" data-mood="bad">
          Nothing is written now: {history.failing}
        </p>
      )}
      <dl class="facts">
        {history.levels.map(({ level, since, until, bytes, lost }) => (
          <Fact key={level} term={levelName(level)}>
            {since === null ? "from the beginning" : `from ${moment(since)}`}
            <span class="muted">
              , {levelEnd(level, until, moment)}
              {bytes > 0 && `, ${formatBytes(bytes)}`}
            </span>
            {lost > 0 && <span class="warned">, {formatCount(lost)} never summed for want of space</span>}
          </Fact>
        ))}
        <Fact term="A row is">{window === 0 ? "a packet" : `a connection in ${window} s`}</Fact>
        <Fact term="Rows written">
          {formatCount(history.rows_written)}{" "}
          <span class="muted">
            {history.queued > 0 ? `${formatCount(history.queued)} waiting` : "none waiting"}
          </span>
        </Fact>
        <Fact term="Size">{formatBytes(history.database_bytes)}</Fact>
        <Fact term="File">
          <code>{runtime.db_path}</code>
        </Fact>
      </dl>
    </>
  );
}

function levelEnd(level: string, until: string | null, moment: (text: string) => string): string {
  if (level === "raw") return "until now";
  return until === null ? "nothing summed yet" : `summed until ${moment(until)}`;
}
