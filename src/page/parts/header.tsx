import { useLive } from "../state/live.ts";
import { usePage } from "../state/page.ts";
import type { Theme } from "../state/settings.ts";
import { useStore } from "../state/use-store.ts";
import { formatCount, formatCoverage } from "../text/format.ts";
import { lostCount, moodOf, type Mood } from "../text/words.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Tabs } from "./tabs.tsx";

interface HeaderProps {
  onHelp: () => void;
}

/** Name, screens, how well the agent sees, and what is chosen once. */
export function Header({ onHelp }: HeaderProps) {
  return (
    <header class="header">
      <a class="brand" href="?">
        <Logo />
        AyaFlow
      </a>
      <Tabs />
      <HealthChip />
      <div class="header-tools">
        <ThemeButton />
        <button
          type="button"
          class="quiet"
          aria-label="Keys and help"
          title="Keys and help (?)"
          onClick={onHelp}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false">
      <path d="M2 9c3.5 0 4.5-4 8-4s4.5 4 8 4h4" />
      <path d="M2 15c3.5 0 4.5-4 8-4s4.5 4 8 4h4" />
      <path d="M2 21c3.5 0 4.5-4 8-4s4.5 4 8 4h4" />
    </svg>
  );
}

const MOOD_ICONS: Readonly<Record<Mood, IconName>> = { good: "good", warn: "warn", bad: "bad" };
const MOOD_WORDS: Readonly<Record<Mood, string>> = {
  good: "All is well",
  warn: "Something to know",
  bad: "Packets are missed",
};

/** Coverage and losses in a few words; leads to all of it. */
function HealthChip() {
  const { stats, health } = useLive();
  const { go } = usePage();
  if (stats === null) return <span class="chip" />;
  const reasons = health?.reasons ?? [];
  const mood = moodOf(stats.coverage, reasons);
  const lost = lostCount(stats.losses);
  return (
    <a
      class="chip"
      data-mood={mood}
      href="?view=health"
      title={[MOOD_WORDS[mood], ...reasons].join(". ")}
      onClick={(event) => {
        event.preventDefault();
        go({ view: "health", id: null });
      }}
    >
      <Icon name={MOOD_ICONS[mood]} />
      <span class="unseen">{MOOD_WORDS[mood]}: </span>
      <span>
        <b>{formatCoverage(stats.coverage)}</b>
        <span class="wordy"> counted</span>
      </span>
      <span aria-hidden="true">·</span>
      <span>
        <b>{formatCount(lost)}</b> lost
      </span>
    </a>
  );
}

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };
const THEME_WORDS: Readonly<Record<Theme, string>> = {
  auto: "as the system",
  light: "light",
  dark: "dark",
};

function ThemeButton() {
  const { theme } = usePage().settings;
  const chosen = useStore(theme);
  const words = `Colours: ${THEME_WORDS[chosen]}`;
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`${words}; change`}
      title={words}
      onClick={() => theme.set(NEXT_THEME[chosen])}
    >
      <Icon name="theme" />
    </button>
  );
}
