const PATHS = {
  theme: "M8 1.5a6.5 6.5 0 1 0 0 13zm0 0a6.5 6.5 0 0 1 0 13",
  help: "M6 6a2 2 0 1 1 2.8 1.8c-.5.3-.8.6-.8 1.2v.3M8 11.6v.1M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13",
  close: "M3.5 3.5l9 9m0-9l-9 9",
  pause: "M5.5 3v10m5-10v10",
  play: "M5 3l7.5 5L5 13z",
  earlier: "M10 3L5 8l5 5",
  later: "M6 3l5 5-5 5",
  zoomIn: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9m3.3 7.8l3.4 3.4M5 7h4M7 5v4",
  zoomOut: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9m3.3 7.8l3.4 3.4M5 7h4",
  not: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M3.8 12.2l8.4-8.4",
  good: "M2.5 8.5l3.5 3.5 7.5-8",
  warn: "M8 2l6.5 12h-13zM8 6.5v3.5m0 1.8v.2",
  bad: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M8 4.5v4.2m0 2.3v.2",
} as const;

export type IconName = keyof typeof PATHS;

/** A small picture beside words that say the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill={name === "play" ? "currentColor" : "none"} stroke="currentColor" />
    </svg>
  );
}
