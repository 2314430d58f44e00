import { useMemo, useRef, useState } from "preact/hooks";
import { type Completion, completeFilter } from "../../filter/complete.ts";
import { Icon } from "../parts/icons.tsx";
import { WireText } from "../parts/text.tsx";
import { type Checked } from "./edit.ts";
import { useFilter } from "./use-filter.ts";
import { useValues } from "./use-values.ts";

export const FILTER_ID = "filter";
const LIST_ID = "filter-list";
const ERROR_ID = "filter-error";
const optionId = (index: number): string => `filter-option-${index}`;

/** The text with one completion taken, and where the cursor is then. */
function completed(text: string, { text: insert, from, to }: Completion): { text: string; cursor: number } {
  const rest = text.slice(to);
  const space = rest.startsWith(" ") || insert === ")" ? "" : " ";
  const start = text.slice(0, from) + insert + space;
  return { text: start + rest, cursor: start.length + (space === "" && rest.startsWith(" ") ? 1 : 0) };
}

/** The box for the filter: a combobox with what may come next, mistakes underlined where they are. */
export function FilterBox() {
  const filter = useFilter();
  const [values, refreshValues] = useValues();
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const { text } = filter;
  const choices = useMemo(
    () => (isOpen ? completeFilter(text, cursor, values) : []),
    [isOpen, text, cursor, values.domain, values.address, values.port],
  );
  const chosen = choices[active];

  const readCursor = () => {
    setCursor(input.current?.selectionStart ?? text.length);
    if (mirror.current !== null) mirror.current.scrollLeft = input.current?.scrollLeft ?? 0;
  };
  const close = () => {
    setOpen(false);
    setActive(-1);
  };
  const take = (choice: Completion) => {
    const next = completed(text, choice);
    filter.type(next.text);
    setActive(-1);
    const element = input.current;
    if (element === null) return;
    element.value = next.text;
    element.focus();
    element.setSelectionRange(next.cursor, next.cursor);
    setCursor(next.cursor);
  };
  const move = (by: number) => {
    setOpen(true);
    const count = isOpen ? choices.length : 0;
    if (count > 0) setActive((before) => (before + by + (before < 0 && by < 0 ? 1 : 0) + count) % count);
  };
  /** One thing at a time: the list, what is typed, the focus. */
  const leave = () => {
    if (choices.length > 0) close();
    else if (text !== "") filter.apply("");
    else input.current?.blur();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const actions: Record<string, () => void> = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Enter: () => (chosen === undefined ? (filter.apply(text), close()) : take(chosen)),
      Escape: leave,
    };
    if (event.key === "Tab" && !event.shiftKey && chosen !== undefined) {
      event.preventDefault();
      return take(chosen);
    }
    const action = actions[event.key];
    if (action === undefined || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };

  return (
    <div class="filter">
      <label class="unseen" for={FILTER_ID}>
        Filter
      </label>
      <div class="filter-field" data-invalid={filter.isComplaining ? "" : undefined}>
        <Mirror text={text} checked={filter.checked} isShown={filter.isComplaining} element={mirror} />
        <input
          ref={input}
          id={FILTER_ID}
          type="text"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={choices.length > 0}
          aria-controls={LIST_ID}
          aria-activedescendant={chosen === undefined ? undefined : optionId(active)}
          aria-invalid={filter.isComplaining}
          aria-describedby={filter.isComplaining ? ERROR_ID : undefined}
          placeholder="Filter: host 10.0.0.0/8 and port 443 and domain *.github.com"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            filter.type(event.currentTarget.value);
            setOpen(true);
            setActive(-1);
            readCursor();
          }}
          onFocus={() => {
            refreshValues();
            readCursor();
          }}
          onBlur={close}
          onClick={() => {
            readCursor();
            setOpen(true);
          }}
          onKeyUp={readCursor}
          onScroll={readCursor}
          onKeyDown={onKeyDown}
        />
        {text !== "" && (
          <button type="button" class="quiet" aria-label="Clear the filter" onClick={() => filter.apply("")}>
            <Icon name="close" />
          </button>
        )}
        {text === "" && <kbd aria-hidden="true">/</kbd>}
      </div>
      {filter.isComplaining && !filter.checked.isValid && (
        <p id={ERROR_ID} class="filter-error" role="alert">
          <WireText text={filter.checked.message} />
          <span class="muted"> (character {filter.checked.at + 1})</span>
        </p>
      )}
      <ul id={LIST_ID} role="listbox" aria-label="What may come next" hidden={choices.length === 0}>
        {choices.map((choice, index) => (
          <Choice
            key={`${choice.text} ${choice.hint}`}
            choice={choice}
            index={index}
            isActive={index === active}
            onTake={() => take(choice)}
          />
        ))}
      </ul>
    </div>
  );
}

interface ChoiceProps {
  choice: Completion;
  index: number;
  isActive: boolean;
  onTake: () => void;
}

function Choice({ choice, index, isActive, onTake }: ChoiceProps) {
  const element = useRef<HTMLLIElement>(null);
  if (isActive) element.current?.scrollIntoView({ block: "nearest" });
  return (
    <li
      ref={element}
      id={optionId(index)}
      role="option"
      aria-selected={isActive}
      // The box must not lose the focus before it is clicked.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onTake}
    >
      <WireText text={choice.text} />
      <span class="muted">{choice.hint}</span>
    </li>
  );
}

interface MirrorProps {
  text: string;
  checked: Checked;
  isShown: boolean;
  element: { current: HTMLDivElement | null };
}

/** The same text behind the box, unseen but for the line under what is wrong. */
function Mirror({ text, checked, isShown, element }: MirrorProps) {
  if (checked.isValid) return <div ref={element} class="filter-mirror" aria-hidden="true" />;
  const end = checked.at + Math.max(checked.length, 1);
  return (
    <div ref={element} class="filter-mirror" aria-hidden="true">
      {text.slice(0, checked.at)}
      <span class={isShown ? "wrong" : undefined}>{text.slice(checked.at, end).padEnd(1, "\u00a0")}</span>
      {text.slice(end)}
    </div>
  );
}
