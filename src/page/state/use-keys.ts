import { useEffect, useRef } from "preact/hooks";
import { FILTER_ID } from "../filter/box.tsx";
import { usePage } from "./page.ts";
import { VIEWS } from "./place.ts";
import { LIVE } from "./range.ts";

interface KeyOptions {
  onHelp: () => void;
}

/** Whether what has the focus takes letters itself. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input:not([type=checkbox]), select, textarea, dialog") !== null
  );
}

/** The keys that work everywhere but where one types. */
export function useKeys({ onHelp }: KeyOptions): void {
  const { place, go } = usePage();
  const current = useRef({ place, go, onHelp });
  current.current = { place, go, onHelp };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
      const { place: at, go: move, onHelp: help } = current.current;
      const view = VIEWS[Number(event.key) - 1];
      const actions: Record<string, () => void> = {
        "/": () => document.getElementById(FILTER_ID)?.focus(),
        "?": help,
        l: () => move({ range: LIVE, id: null }),
        Escape: () => at.id !== null && move({ id: null }),
      };
      const action =
        view === undefined ? actions[event.key] : () => move({ view, id: null, sort: null, order: "desc" });
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

/** A key of one screen, under the same conditions. */
export function useShortcut(key: string, action: () => void): void {
  const current = useRef(action);
  current.current = action;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== key || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      event.preventDefault();
      current.current();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [key]);
}
