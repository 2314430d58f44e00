import { useEffect, useRef } from "preact/hooks";
import { HINTS } from "../../filter/words.ts";
import { Icon } from "./icons.tsx";

const KEYS: readonly [string, string][] = [
  ["1 2 3 4 5", "go to a screen"],
  ["/", "type a filter"],
  ["↑ ↓ PgUp PgDn Home End", "move in the table of connections"],
  ["Enter", "open the story of a connection"],
  ["p", "hold the table still, and let it go on"],
  ["l", "back to live"],
  ["Esc", "close what is open, clear the filter"],
  ["?", "this help"],
];

const EXAMPLES: readonly [string, string][] = [
  ["host 10.0.0.0/8 and port 443", "either end in 10.0.0.0/8, port 443 at either end"],
  ["domain *.github.com", "github.com and all names below it"],
  ["client 10.0.0.7 and not proto udp", "what one host asked for, without UDP"],
  ["bytes > 10M or rtt >= 100ms", "large ones and slow ones"],
];

const WORDS = ["client", "server", "iface", "dir", "source", "alpn", "ja4", "state", "retrans"] as const;

/** The keys, and the language of the filter in short. */
export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="dialog help" aria-labelledby="help-title" onClose={onClose}>
      <div class="dialog-head">
        <h2 id="help-title">Keys and filters</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={() => dialog.current?.close()}>
          <Icon name="close" />
        </button>
      </div>
      <div class="help-columns">
        <section>
          <h3>Keys</h3>
          <dl>
            {KEYS.map(([keys, words]) => (
              <div key={keys}>
                <dt>
                  {keys.split(" ").map((one) => (
                    <kbd key={one}>{one}</kbd>
                  ))}
                </dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
          <p class="muted">Drag across the chart to zoom into a time. The back button undoes it.</p>
        </section>
        <section>
          <h3>Filters</h3>
          <dl class="wide">
            {EXAMPLES.map(([filter, words]) => (
              <div key={filter}>
                <dt>
                  <code>{filter}</code>
                </dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
          <dl>
            {WORDS.map((word) => (
              <div key={word}>
                <dt>
                  <code>{word}</code>
                </dt>
                <dd>{HINTS[word]}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </dialog>
  );
}
