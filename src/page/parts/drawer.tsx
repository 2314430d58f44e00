import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePage } from "../state/page.ts";
import { Icon } from "./icons.tsx";

const TITLE_ID = "drawer-title";

interface DrawerProps {
  title: ComponentChildren;
  children: ComponentChildren;
}

/** A sheet beside the screen that tells more of one thing in it; Escape closes it. */
export function Drawer({ title, children }: DrawerProps) {
  const { go } = usePage();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <div class="drawer" role="dialog" aria-labelledby={TITLE_ID}>
      <div class="drawer-head">
        <h2 id={TITLE_ID} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button
          type="button"
          class="quiet"
          aria-label="Close"
          title="Close (Esc)"
          onClick={() => go({ id: null })}
        >
          <Icon name="close" />
        </button>
      </div>
      <div class="drawer-body" tabIndex={0}>
        {children}
      </div>
    </div>
  );
}

/** A term and what is known of it; nothing where nothing is. */
export function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
