import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { usePage } from "../state/page.ts";
import { type Checked, checkFilter } from "./edit.ts";

/** What is typed is asked for once it makes sense and the hands have rested so long. */
const APPLY_MS = 350;
/** A word half typed is no mistake yet. */
const COMPLAIN_MS = 800;

export interface FilterText {
  text: string;
  checked: Checked;
  /** The mistake is to be shown. */
  isComplaining: boolean;
  type(text: string): void;
  /** Asks for it at once; a step that the back button undoes. */
  apply(text: string): void;
}

/** The text of the filter box, and the filter of the URL that follows it. */
export function useFilter(): FilterText {
  const { place, go } = usePage();
  const [text, setText] = useState(place.q);
  const [isComplaining, setComplaining] = useState(false);
  const applied = useRef(place.q);
  const checked = useMemo(() => checkFilter(text), [text]);

  // The filter was changed elsewhere: by a click, or by the back button. At once: what the next key asks for is newer.
  useLayoutEffect(() => {
    if (place.q === applied.current) return;
    applied.current = place.q;
    setText(place.q);
  }, [place.q]);

  useEffect(() => {
    setComplaining(false);
    const timer = setTimeout(() => setComplaining(true), COMPLAIN_MS);
    return () => clearTimeout(timer);
  }, [text]);

  useEffect(() => {
    if (!checked.isValid || text.trim() === applied.current) return undefined;
    const timer = setTimeout(() => {
      applied.current = text.trim();
      go({ q: applied.current }, "replace");
    }, APPLY_MS);
    return () => clearTimeout(timer);
  }, [text, checked, go]);

  const apply = (wanted: string) => {
    setText(wanted);
    setComplaining(true);
    if (!checkFilter(wanted).isValid) return;
    applied.current = wanted.trim();
    go({ q: applied.current });
  };
  return { text, checked, isComplaining: isComplaining && !checked.isValid, type: setText, apply };
}
