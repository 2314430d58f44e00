import type { HealthAnswer, IndexAnswer, StatsAnswer } from "../data/answers.ts";
import { Icon } from "../parts/icons.tsx";
import { useLive } from "../state/live.ts";
import { useAsk } from "../state/use-ask.ts";
import { formatBytes, formatCount, formatCoverage, formatDuration } from "../text/format.ts";
import { lossWords, lostCount, moodOf } from "../text/words.ts";
import { HistoryCard } from "./history-card.tsx";
import { InterfaceTable } from "./interface-table.tsx";
import { OwnUseCard } from "./own-use-card.tsx";

/** How well the agent sees, what it lost, what it keeps and what it costs. */
export function Health() {
  const { stats, health } = useLive();
  const index = useAsk<IndexAnswer>("/", { every: Infinity }).answer;
  return (
    <>
      <h1 class="unseen">Health</h1>
      {stats === null ? (
        <p class="waiting muted">Loading…</p>
      ) : (
        <>
          <Sight stats={stats} health={health} />
          <div class="cards">
            <LossCard stats={stats} />
            <OwnUseCard stats={stats} />
            <section class="card" aria-label="History">
              <h2>History</h2>
              <HistoryCard stats={stats} />
            </section>
          </div>
          <InterfaceTable interfaces={stats.interfaces} />
          <p class="version muted">
            {index !== null && `AyaFlow ${index.version} (${index.commit}), `}
            running for {formatDuration(stats.uptime_seconds * 1000)}, watching {stats.runtime.interface}
          </p>
        </>
      )}
    </>
  );
}

/** The one sentence that matters, and what the agent says of itself. */
function Sight({ stats, health }: { stats: StatsAnswer; health: HealthAnswer | null }) {
  const reasons = health?.reasons ?? [];
  const mood = moodOf(stats.coverage, reasons);
  const lost = lostCount(stats.losses);
  return (
    <section class="card sight" data-mood={mood} aria-label="How well the agent sees">
      <h2>
        <Icon name={mood} />
        {formatCoverage(stats.coverage)} of packets were counted on a connection. {formatCount(lost)} lost.
      </h2>
      <div class="meter" aria-hidden="true">
        <span style={{ width: `${stats.coverage * 100}%` }} />
      </div>
      <p class="muted">
        Of {formatCount(stats.total_packets)} packets ({formatBytes(stats.total_bytes)}) since the agent
        started, {formatCount(stats.attributed_packets)} are on a connection. What has no address, such as
        ARP, is left out of the share; whatever could not be kept is counted and listed here.
      </p>
      {reasons.length > 0 && (
        <ul class="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function LossCard({ stats }: { stats: StatsAnswer }) {
  const losses = stats.losses.filter(({ count }) => count > 0);
  return (
    <section class="card" aria-label="Losses">
      <h2>
        Losses <span class="muted hint">since the agent started</span>
      </h2>
      {losses.length === 0 ? (
        <p class="empty">Nothing was lost.</p>
      ) : (
        <ul class="losses">
          {losses.map((loss) => (
            <li key={`${loss.stage} ${loss.reason}`}>
              <b>{formatCount(loss.count)}</b> {lossWords(loss)}
            </li>
          ))}
        </ul>
      )}
      <p class="muted">
        {formatCount(stats.table.used)} of {formatCount(stats.table.size)} places for connections are in use.
      </p>
    </section>
  );
}
