/** What a page shows, read as a person reads it. */
import type { Locator, Page } from "playwright-core";

/** An element as far as it is read; the tests have no types of the browser's. */
interface Shown {
  innerText: string;
  textContent: string;
  children: Iterable<Shown>;
  querySelector(selector: string): Shown | null;
}

/** A table's cells by the labels of their columns, row by row; rows that are not filled yet are left out. */
export async function tableCells(table: Locator): Promise<Record<string, string>[]> {
  const heads = await texts(table.getByRole("columnheader"));
  const rows: string[][] = await table
    .locator("tbody tr:not(.spacer)")
    .evaluateAll((all: readonly unknown[]) =>
      (all as Shown[]).map((row) => [...row.children].map((cell) => cell.innerText)),
    );
  return rows
    .filter((cells) => cells.some((cell) => cell !== ""))
    .map((cells) =>
      Object.fromEntries(
        heads.map((head, index) => [head.replace(/ ?[▾▴]$/, ""), oneLine(cells[index] ?? "")]),
      ),
    );
}

/** The seen texts of elements, white space as single spaces. */
export async function texts(elements: Locator): Promise<string[]> {
  return (await elements.allInnerTexts()).map(oneLine);
}

export function oneLine(text: string): string {
  return text.replaceAll(/[\s\u00a0]+/g, " ").trim();
}

/** A ranked list's items: name, bytes and share. */
export interface RankedLine {
  name: string;
  bytes: string;
  share: string;
}

/** The lines of the ranked list under a heading. */
export async function rankedLines(page: Page, title: string): Promise<RankedLine[]> {
  const lines = page.getByRole("region", { name: title, exact: true }).locator("li .ranked-main");
  const found: string[][] = await lines.evaluateAll((all: readonly unknown[]) =>
    (all as Shown[]).map((line) =>
      ["name", "bytes", "share"].map((part) => line.querySelector(`.ranked-${part}`)?.textContent ?? ""),
    ),
  );
  return found.map(([name = "", bytes = "", share = ""]) => ({ name, bytes, share }));
}

/** The facts of a list of terms, by term. */
export async function facts(page: Locator): Promise<Record<string, string>> {
  const [terms, values] = [await texts(page.locator("dt")), await texts(page.locator("dd"))];
  return Object.fromEntries(terms.map((term, index) => [term, values[index] ?? ""]));
}
