import { useRef } from "preact/hooks";
import { usePage } from "../state/page.ts";
import { formatPlace, VIEWS, type View } from "../state/place.ts";

export const VIEW_NAMES: Readonly<Record<View, string>> = {
  overview: "Overview",
  connections: "Connections",
  names: "Names",
  dns: "DNS",
  health: "Health",
};

export const tabId = (view: View): string => `tab-${view}`;
export const PANEL_ID = "panel";

const MOVES: Readonly<Record<string, (index: number) => number>> = {
  ArrowLeft: (index) => (index + VIEWS.length - 1) % VIEWS.length,
  ArrowRight: (index) => (index + 1) % VIEWS.length,
  Home: () => 0,
  End: () => VIEWS.length - 1,
};

/** The screens; arrows move between them. */
export function Tabs() {
  const { place, go } = usePage();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const index = MOVES[event.key]?.(VIEWS.indexOf(place.view));
    const view = index === undefined ? undefined : VIEWS[index];
    if (view === undefined) return;
    event.preventDefault();
    go({ view, id: null });
    list.current?.querySelector<HTMLElement>(`#${tabId(view)}`)?.focus();
  };
  return (
    <nav class="tabs-holder" aria-label="Screens">
      <div ref={list} class="tabs" role="tablist" aria-label="Screens" onKeyDown={onKeyDown}>
        {VIEWS.map((view) => (
          <a
            key={view}
            id={tabId(view)}
            role="tab"
            href={formatPlace({ ...place, view, id: null, sort: null, order: "desc" }) || "?"}
            aria-selected={view === place.view}
            aria-controls={PANEL_ID}
            tabIndex={view === place.view ? 0 : -1}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              go({ view, id: null, sort: null, order: "desc" });
            }}
          >
            {VIEW_NAMES[view]}
          </a>
        ))}
      </div>
    </nav>
  );
}
