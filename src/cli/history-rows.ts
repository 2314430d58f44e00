import { AyaflowError } from "../errors.ts";
import type { Progress } from "./ask-progress.ts";
import type { Terminal } from "./ask-terminal.ts";
import type { CommandIo } from "./command-io.ts";
import { nextSchema, type RowAnswer, rowSchema } from "./history-answers.ts";
import { ROW_COLUMNS, rowCells } from "./history-table.ts";
import { TableLayout } from "./table.ts";

/** Rows that are laid out and written together. */
const BATCH = 500;
const MAX_LINE = 1024 * 1024;

/** The lines of a body, without their ends. @throws AyaflowError for one that has no end. */
async function* linesOf(response: Response, place: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE)
      throw new AyaflowError(`${place} gave a line of more than ${MAX_LINE} characters`);
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Prints rows as they come, as a table or as one JSON object. */
export class RowListing {
  /** Printed so far. */
  rows = 0;
  /** The limit left rows out. */
  isCut = false;
  private next: string | null = null;
  private layout: TableLayout | null = null;

  constructor(
    private readonly format: "table" | "json",
    private readonly output: { io: CommandIo; terminal: Terminal; progress: Progress },
  ) {}

  /** Prints an answer in ndjson. @throws AyaflowError when it is none. */
  async print(response: Response, place: string): Promise<void> {
    let batch: unknown[] = [];
    if (this.format === "json") this.write('{"items":[');
    for await (const line of linesOf(response, place)) {
      const value: unknown = JSON.parse(line);
      const next = nextSchema.safeParse(value);
      if (next.success) this.next = next.data.next_cursor;
      else batch.push(value);
      if (batch.length < BATCH) continue;
      await this.show(batch, place);
      batch = [];
    }
    await this.show(batch, place);
    this.isCut = this.next !== null;
    if (this.format === "json")
      this.write(`],"returned":${this.rows},"next_cursor":${JSON.stringify(this.next)}}\n`);
  }

  private async show(batch: readonly unknown[], place: string): Promise<void> {
    if (batch.length === 0) return;
    this.write(this.format === "json" ? this.items(batch) : this.table(batch, place));
    this.rows += batch.length;
    await this.output.io.flush();
  }

  private write(text: string): void {
    this.output.progress.erase();
    this.output.io.out(text);
  }

  private items(batch: readonly unknown[]): string {
    const separator = this.rows === 0 ? "" : ",";
    return separator + batch.map((item) => JSON.stringify(item)).join(",");
  }

  private table(batch: readonly unknown[], place: string): string {
    const { terminal } = this.output;
    const cells = batch.map((item) => rowCells(readRow(item, place), terminal));
    if (this.layout !== null) return this.layout.rows(cells);
    this.layout = new TableLayout(ROW_COLUMNS, cells, terminal);
    return this.layout.head() + this.layout.rows(cells);
  }
}

function readRow(item: unknown, place: string): RowAnswer {
  const parsed = rowSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  throw new AyaflowError(
    `${place} gave a row that this version does not know: are both of the same version?`,
  );
}
