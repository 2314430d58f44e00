import { addTerm, termOf } from "../filter/edit.ts";
import { usePage } from "../state/page.ts";
import { visibleText } from "../text/safe-text.ts";
import { NameText } from "./text.tsx";

interface FilterLinkProps {
  /** What it is filtered by. */
  by: string;
  value: string | null;
}

/** A name that asks for itself when it is clicked; plain text where no filter can ask for it. */
export function FilterLink({ by, value }: FilterLinkProps) {
  const { place, go } = usePage();
  const term = termOf(by, value);
  if (term === null) return <NameText name={value} />;
  return (
    <button
      type="button"
      class="linklike"
      title={`Show only: ${visibleText(term)}`}
      onClick={() => go({ q: addTerm(place.q, term) })}
    >
      <NameText name={value} />
    </button>
  );
}
