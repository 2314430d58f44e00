import type { ComponentChildren } from "preact";
import { Sparkline } from "../parts/sparkline.tsx";
import { RATES_KEPT, useLive } from "../state/live.ts";
import { usePage } from "../state/page.ts";
import { useStore } from "../state/use-store.ts";
import { formatCount, formatCoverage, formatDuration, formatPerSecond, formatRate } from "../text/format.ts";
import { lostCount } from "../text/words.ts";

/** The figures of this second, of all that is watched. */
export function Figures() {
  const { stats, rates } = useLive();
  const { place, settings } = usePage();
  const unit = useStore(settings.unit);
  if (stats === null) return <div class="figures" aria-hidden="true" />;
  const lost = lostCount(stats.losses);
  // The agent counts these without a filter, which must be said beside filtered figures.
  const scope = place.q.trim() === "" ? undefined : "all traffic";
  return (
    <section class="figures" aria-label="Now, all traffic">
      <Figure label="Traffic now" value={formatRate(stats.bytes_per_second, unit)} scope={scope} isMain>
        <Sparkline values={rates} capacity={RATES_KEPT} />
      </Figure>
      <Figure label="Packets" value={`${formatPerSecond(stats.packets_per_second)}/s`} scope={scope} />
      <Figure label="Connections" value={formatCount(stats.active_connections)} scope={scope} />
      <Figure label="Packets counted" value={formatCoverage(stats.coverage)} />
      <Figure label="Lost" value={formatCount(lost)} />
      <Figure label="Running for" value={formatDuration(stats.uptime_seconds * 1000)} />
    </section>
  );
}

interface FigureProps {
  label: string;
  value: string;
  /** What it is the figure of, where that may be mistaken. */
  scope?: string | undefined;
  isMain?: boolean;
  children?: ComponentChildren;
}

function Figure({ label, value, scope, isMain = false, children }: FigureProps) {
  return (
    <div class="figure-box" data-main={isMain ? "" : undefined}>
      <span class="figure-label muted">
        {label}
        {scope !== undefined && ` (${scope})`}
      </span>
      <span class="figure-value">{value}</span>
      {children}
    </div>
  );
}
