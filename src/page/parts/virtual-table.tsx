import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Order } from "../state/place.ts";
import { useMedia } from "../state/use-media.ts";
import { scrollTo, type RowWindow, windowAt } from "./window.ts";

export interface Column<Row> {
  label: string;
  /** Name of the column's class, which has its width. */
  name: string;
  /** What the agent sorts by; none if it cannot. */
  sort?: string;
  /** Said to those who stay over the label. */
  hint?: string;
  isNumber?: boolean;
  /** What is shown becomes less as what is sorted by becomes more: ages and moments. */
  isInverted?: boolean;
  cell: (row: Row) => ComponentChildren;
}

interface VirtualTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  /** Rows in all. */
  total: number;
  /** Those that are there, from `offset` on. */
  rows: readonly Row[];
  offset: number;
  idOf: (row: Row) => string;
  sort: string;
  order: Order;
  onSort: (sort: string, order: Order) => void;
  onOpen: (row: Row) => void;
  /** Row whose story is open. */
  openId: string | null;
  onWindow: (window: RowWindow) => void;
  isOld: boolean;
}

const ROW_HEIGHT = 33;
const CARD_HEIGHT = 92;
/** The head is the first row, counted from 1. */
const FIRST_ROW = 2;
const PHONE = "(max-width: 700px)";

/** A table of any length of which only what is seen is in the page. Rows all have the same height. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { columns, total, rows, offset, idOf, onOpen, onWindow } = props;
  const rowHeight = useMedia(PHONE) ? CARD_HEIGHT : ROW_HEIGHT;
  const scroller = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState<RowWindow>({ offset: 0, limit: 40 });
  const [active, setActive] = useState<{ index: number; id: string | undefined } | null>(null);

  const readWindow = () => {
    const element = scroller.current;
    if (element === null) return;
    const next = windowAt(element.scrollTop, element.clientHeight, rowHeight);
    if (next.offset !== window.offset || next.limit !== window.limit) setWindow(next);
  };
  useLayoutEffect(readWindow);
  useEffect(() => {
    const observer = new ResizeObserver(readWindow);
    if (scroller.current !== null) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [rowHeight, window]);
  useEffect(() => onWindow(window), [window.offset, window.limit]);

  const rowAt = (index: number): Row | undefined => rows[index - offset];
  // The row that was chosen may have moved meanwhile.
  const found = active?.id === undefined ? -1 : rows.findIndex((row) => idOf(row) === active.id);
  const activeIndex = found === -1 ? Math.min(active?.index ?? 0, Math.max(0, total - 1)) : found + offset;

  const moveTo = (wanted: number) => {
    const element = scroller.current;
    if (element === null || total === 0) return;
    const index = Math.min(Math.max(wanted, 0), total - 1);
    const row = rowAt(index);
    setActive({ index, id: row === undefined ? undefined : idOf(row) });
    const head = element.querySelector("thead")?.clientHeight ?? 0;
    element.scrollTop = scrollTo(index, element.scrollTop, element.clientHeight - head, rowHeight);
  };
  const onClick = (event: MouseEvent) => {
    const element = event.target instanceof Element ? event.target.closest("tr[aria-rowindex]") : null;
    const index = Number(element?.getAttribute("aria-rowindex")) - FIRST_ROW;
    const row = rowAt(index);
    if (element === null || row === undefined) return;
    setActive({ index, id: idOf(row) });
    onOpen(row);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof Element && event.target.closest("thead") !== null) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2);
    const from = active === null ? -1 : activeIndex;
    const moves: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: total - 1,
    };
    const row = rowAt(activeIndex);
    if (event.key === "Enter" && active !== null && row !== undefined) onOpen(row);
    else if (moves[event.key] !== undefined) moveTo(moves[event.key] ?? 0);
    else return;
    event.preventDefault();
  };

  const end = Math.min(total, window.offset + window.limit);
  const start = Math.min(window.offset, end);
  const indexes = Array.from({ length: end - start }, (_, index) => start + index);
  return (
    <div ref={scroller} class="table-scroll" onScroll={readWindow} data-old={props.isOld ? "" : undefined}>
      <table
        class="table"
        role="grid"
        aria-label={props.label}
        aria-rowcount={total + 1}
        aria-colcount={columns.length}
        aria-activedescendant={active === null ? undefined : `row-${activeIndex}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <Head {...props} />
        <tbody role="rowgroup" onClick={onClick}>
          <Spacer height={start * rowHeight} />
          {indexes.map((index) => (
            <TableRow
              key={index}
              index={index}
              row={rowAt(index)}
              columns={columns}
              isActive={active !== null && index === activeIndex}
              isOpen={isOpenRow(rowAt(index), props)}
            />
          ))}
          <Spacer height={(total - end) * rowHeight} />
        </tbody>
      </table>
    </div>
  );
}

function isOpenRow<Row>(row: Row | undefined, { openId, idOf }: VirtualTableProps<Row>): boolean {
  return row !== undefined && openId !== null && idOf(row) === openId;
}

function opposite(order: Order): Order {
  return order === "desc" ? "asc" : "desc";
}

function Head<Row>({ columns, sort, order, onSort }: VirtualTableProps<Row>) {
  return (
    <thead role="rowgroup">
      <tr role="row" aria-rowindex={1}>
        {columns.map((column) => {
          const isSorted = column.sort !== undefined && column.sort === sort;
          const isFalling = (order === "desc") !== (column.isInverted === true);
          // Largest first, but names by the alphabet; a second time the other way round.
          const first = column.isNumber === true && column.isInverted !== true ? "desc" : "asc";
          const next = isSorted ? opposite(order) : first;
          return (
            <th
              key={column.name}
              role="columnheader"
              scope="col"
              class={`col-${column.name}`}
              data-number={column.isNumber === true ? "" : undefined}
              aria-sort={isSorted ? (isFalling ? "descending" : "ascending") : undefined}
              title={column.hint}
            >
              {column.sort === undefined ? (
                column.label
              ) : (
                <button type="button" onClick={() => onSort(column.sort ?? "", next)}>
                  {column.label}
                  <span class="sort-mark" aria-hidden="true">
                    {isSorted ? (isFalling ? "▾" : "▴") : ""}
                  </span>
                </button>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** Stands in for rows that are not seen. */
function Spacer({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr class="spacer" role="presentation" aria-hidden="true">
      <td role="presentation" style={{ height: `${height}px` }} />
    </tr>
  );
}

interface TableRowProps<Row> {
  index: number;
  row: Row | undefined;
  columns: readonly Column<Row>[];
  isActive: boolean;
  isOpen: boolean;
}

/** Drawn anew only when something of it has changed: many are, at each step of scrolling. */
function TableRow<Row>({ index, row, columns, isActive, isOpen }: TableRowProps<Row>) {
  return useMemo(
    () => (
      <tr
        id={`row-${index}`}
        role="row"
        aria-rowindex={index + FIRST_ROW}
        aria-selected={isActive}
        data-open={isOpen ? "" : undefined}
      >
        {columns.map((column) => (
          <td
            key={column.name}
            role="gridcell"
            class={`col-${column.name}`}
            data-label={column.label}
            data-number={column.isNumber === true ? "" : undefined}
          >
            {row === undefined ? "" : column.cell(row)}
          </td>
        ))}
      </tr>
    ),
    [index, row, columns, isActive, isOpen],
  );
}
