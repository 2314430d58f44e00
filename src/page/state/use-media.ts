import { useEffect, useState } from "preact/hooks";
import { usePage } from "./page.ts";
import { useStore } from "./use-store.ts";

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const read = () => setHolds(list.matches);
    read();
    list.addEventListener("change", read);
    return () => list.removeEventListener("change", read);
  }, [query]);
  return holds;
}

/** The colours in use, chosen here or by the system. */
export function useColorScheme(): "light" | "dark" {
  const theme = useStore(usePage().settings.theme);
  const isSystemDark = useMedia("(prefers-color-scheme: dark)");
  if (theme !== "auto") return theme;
  return isSystemDark ? "dark" : "light";
}
