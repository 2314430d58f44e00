import { useEffect, useMemo, useState } from "preact/hooks";
import type { HealthAnswer, StatsAnswer } from "./data/answers.ts";
import type { AgentClient } from "./data/client.ts";
import { createGate } from "./data/polling.ts";
import { FilterBox } from "./filter/box.tsx";
import { Boundary } from "./parts/boundary.tsx";
import { Header } from "./parts/header.tsx";
import { Help } from "./parts/help.tsx";
import { LinkBanner } from "./parts/link-banner.tsx";
import { PastBanner, RangePicker } from "./parts/range-picker.tsx";
import { PANEL_ID, tabId, VIEW_NAMES } from "./parts/tabs.tsx";
import { TokenPrompt } from "./parts/token-prompt.tsx";
import { Connections } from "./screens/connections.tsx";
import { Dns } from "./screens/dns.tsx";
import { Health } from "./screens/health.tsx";
import { Names } from "./screens/names.tsx";
import { Overview } from "./screens/overview.tsx";
import { Story } from "./screens/story.tsx";
import { type Live, LiveProvider, RATES_KEPT } from "./state/live.ts";
import { type Page, PageProvider, usePage } from "./state/page.ts";
import type { View } from "./state/place.ts";
import type { Settings } from "./state/settings.ts";
import { useAsk } from "./state/use-ask.ts";
import { useKeys } from "./state/use-keys.ts";
import { usePlace } from "./state/use-place.ts";
import { useStore } from "./state/use-store.ts";

const SCREENS: Readonly<Record<View, () => preact.JSX.Element>> = {
  overview: Overview,
  connections: Connections,
  names: Names,
  dns: Dns,
  health: Health,
};

const SECOND_MS = 1000;
const HEALTH_MS = 5000;
const PROBE_TIMEOUT_MS = 5000;

interface AppProps {
  client: AgentClient;
  settings: Settings;
}

/** Calls `listener` when the page is seen again or no longer. */
function watchVisibility(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}

const isVisible = (): boolean => document.visibilityState === "visible";

export function App({ client, settings }: AppProps) {
  const [place, go] = usePlace();
  const gates = useMemo(() => {
    const watch = (listener: () => void) => {
      const ends = [watchVisibility(listener), client.link.watch(listener)];
      return () => ends.forEach((end) => end());
    };
    const mayProbe = () => client.link.get().kind !== "token";
    return {
      gate: createGate(() => isVisible() && client.link.get().kind === "ok", watch),
      probeGate: createGate(() => isVisible() && mayProbe(), watch),
    };
  }, [client]);
  const page: Page = { client, settings, place, go, ...gates };
  return (
    <PageProvider value={page}>
      <Frame />
    </PageProvider>
  );
}

/** The figures of each second, for the whole page. */
function useLiveFigures(): Live {
  const stats = useAsk<StatsAnswer>("/api/stats", {
    every: SECOND_MS,
    isProbe: true,
    timeoutMs: PROBE_TIMEOUT_MS,
  }).answer;
  const health = useAsk<HealthAnswer>("/api/health", { every: HEALTH_MS }).answer;
  const [rates, setRates] = useState<readonly number[]>([]);
  useEffect(() => {
    if (stats !== null) setRates((before) => [...before, stats.bytes_per_second].slice(-RATES_KEPT));
  }, [stats]);
  return { stats, health, rates };
}

function Frame() {
  const { client, settings, place } = usePage();
  const live = useLiveFigures();
  const link = useStore(client.link);
  const theme = useStore(settings.theme);
  const [isHelpOpen, setHelpOpen] = useState(false);
  useKeys({ onHelp: () => setHelpOpen(true) });
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  useEffect(() => {
    document.title = `${VIEW_NAMES[place.view]} – AyaFlow`;
  }, [place.view]);
  const Screen = SCREENS[place.view];
  return (
    <LiveProvider value={live}>
      <div class="frame" data-view={place.view} data-link={link.kind}>
        <Header onHelp={() => setHelpOpen(true)} />
        <div class="toolbar" role="search" aria-label="Filter and time">
          <FilterBox />
          <RangePicker />
        </div>
        <LinkBanner link={link} />
        <PastBanner />
        <main class="main">
          <div id={PANEL_ID} class="panel" role="tabpanel" aria-labelledby={tabId(place.view)} tabIndex={-1}>
            <Boundary key={place.view}>
              <Screen />
            </Boundary>
          </div>
        </main>
        {place.id !== null && (
          <Boundary key={place.id}>
            <Story id={place.id} />
          </Boundary>
        )}
        {link.kind === "token" && <TokenPrompt key={String(link.wasRefused)} wasRefused={link.wasRefused} />}
        {isHelpOpen && <Help onClose={() => setHelpOpen(false)} />}
      </div>
    </LiveProvider>
  );
}
