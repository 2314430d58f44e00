import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { How } from "./page.ts";
import { formatPlace, parsePlace, type Place } from "./place.ts";

/** The place that the URL tells, and how to go elsewhere. */
export function usePlace(): [Place, (change: Partial<Place>, how?: How) => void] {
  const [place, setPlace] = useState(() => parsePlace(location.search, Date.now()));
  const current = useRef(place);
  const move = useCallback((to: Place) => {
    current.current = to;
    setPlace(to);
  }, []);
  useEffect(() => {
    const read = () => move(parsePlace(location.search, Date.now()));
    addEventListener("popstate", read);
    return () => removeEventListener("popstate", read);
  }, [move]);
  const go = useCallback(
    (change: Partial<Place>, how: How = "push") => {
      const before = current.current;
      const after = { ...before, ...change };
      const url = formatPlace(after);
      if (url !== formatPlace(before)) {
        const target = url === "" ? location.pathname : url;
        if (how === "push") history.pushState(null, "", target);
        else history.replaceState(null, "", target);
      }
      move(after);
    },
    [move],
  );
  return [place, go];
}
