import { visibleText } from "../text/safe-text.ts";

/** Text that came from the wire: everything in it is seen, and it turns nothing around it. */
export function WireText({ text }: { text: string }) {
  return <bdi>{visibleText(text)}</bdi>;
}

/** A name that may not be known. */
export function NameText({ name }: { name: string | null }) {
  return name === null ? <span class="muted">no name</span> : <WireText text={name} />;
}
