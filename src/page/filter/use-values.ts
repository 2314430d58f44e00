import { useCallback, useRef, useState } from "preact/hooks";
import type { CompletionValues } from "../../filter/complete.ts";
import { useLive } from "../state/live.ts";
import { usePage } from "../state/page.ts";
import { apiPath } from "../state/place.ts";

const FIELDS = ["domain", "address", "port"] as const;
const MAX_VALUES = 100;
const FRESH_MS = 15_000;

/** Values that are there to be asked for, and a function that has them looked up when they are old. */
export function useValues(): [CompletionValues, () => void] {
  const { client } = usePage();
  const { stats } = useLive();
  const [found, setFound] = useState<CompletionValues>({});
  const askedAt = useRef(-Infinity);
  const refresh = useCallback(() => {
    if (performance.now() - askedAt.current < FRESH_MS) return;
    askedAt.current = performance.now();
    for (const field of FIELDS) {
      const path = apiPath("/api/suggest", { field, limit: MAX_VALUES });
      const { signal } = new AbortController();
      // Without them there are still the words of the language.
      client.get<{ values: string[] }>(path, { signal }).then(
        ({ values }) => setFound((before) => ({ ...before, [field]: values })),
        () => undefined,
      );
    }
  }, [client]);
  const interfaces = [...new Set((stats?.interfaces ?? []).map((one) => one.interface))];
  return [{ ...found, interface: interfaces }, refresh];
}
