import { addTerm, termOf } from "../filter/edit.ts";
import { usePage } from "../state/page.ts";
import { formatBytes, formatShare } from "../text/format.ts";
import { visibleText } from "../text/safe-text.ts";
import { Icon } from "./icons.tsx";
import { WireText } from "./text.tsx";

export interface RankedItem {
  /** What it is filtered by. */
  key: string;
  value: string | number | null;
  name: string;
  /** Said behind the name. */
  detail?: string | undefined;
  bytes: number;
}

interface RankedProps {
  items: readonly RankedItem[];
  total: number;
}

/** The largest of something, as bars; a click asks for one of them, or for all but it. */
export function Ranked({ items, total }: RankedProps) {
  const { place, go } = usePage();
  const largest = Math.max(1, ...items.map(({ bytes }) => bytes));
  if (items.length === 0) return <p class="empty muted">Nothing in this time.</p>;
  return (
    <ol class="ranked">
      {items.map((item) => {
        const term = termOf(item.key, item.value);
        const share = total === 0 ? 0 : item.bytes / total;
        return (
          <li key={`${item.key} ${item.value}`}>
            <button
              type="button"
              class="ranked-main"
              disabled={term === null}
              title={term === null ? undefined : `Show only: ${visibleText(term)}`}
              onClick={() => term !== null && go({ q: addTerm(place.q, term) })}
            >
              <span class="ranked-bar" style={{ width: `${(item.bytes / largest) * 100}%` }} />
              <span class="ranked-name">
                <WireText text={item.name} />
                {item.detail !== undefined && <span class="muted"> {item.detail}</span>}
              </span>
              <span class="ranked-bytes">{formatBytes(item.bytes)}</span>
              <span class="ranked-share muted">{formatShare(share)}</span>
            </button>
            {term !== null && (
              <button
                type="button"
                class="quiet ranked-not"
                aria-label={`Leave out ${visibleText(item.name)}`}
                title={`Leave out: not ${visibleText(term)}`}
                onClick={() => go({ q: addTerm(place.q, `not ${term}`) })}
              >
                <Icon name="not" />
              </button>
            )}
          </li>
        );
      })}
    </ol>
  );
}
