import * as z from "zod";
import { AyaflowError, errorMessage } from "../errors.ts";
import { escapeControl } from "../log.ts";
import { readAnswer } from "./ask-agent.ts";
import { Progress } from "./ask-progress.ts";
import { type AskSource, openSource } from "./ask-source.ts";
import type { AskTarget } from "./ask-target.ts";
import type { Terminal } from "./ask-terminal.ts";
import { type CommandIo, isBrokenPipe } from "./command-io.ts";
import { aboutLines, emptyLines } from "./history-about.ts";
import { coverageSchema, groupsSchema, timeseriesSchema } from "./history-answers.ts";
import { parametersOf, pathOf } from "./history-parameters.ts";
import type { HistoryRequest } from "./history-request.ts";
import { RowListing } from "./history-rows.ts";
import { groupTable, orderWords, seriesTable } from "./history-table.ts";

/** What a command has to write with. */
interface Output {
  io: CommandIo;
  terminal: Terminal;
  progress: Progress;
}

async function copy(response: Response, { io, progress }: Output): Promise<void> {
  for await (const chunk of response.body ?? []) {
    progress.erase();
    io.out(chunk);
    await io.flush();
  }
}

async function showGroups(
  request: HistoryRequest,
  source: AskSource,
  { io, terminal, progress }: Output,
): Promise<void> {
  const response = await source.ask(pathOf(request), parametersOf(request));
  const answer = await readAnswer(response, groupsSchema, source.place);
  progress.erase();
  if (answer.total.rows === 0) {
    io.out(emptyLines(request, answer.coverage, terminal) + aboutNotes(answer.notes));
    return;
  }
  const count = `${answer.pruned ? "at least " : ""}${answer.group_count.toLocaleString("en")}`;
  const shown = `; ${answer.groups.length} of ${count} groups, most ${orderWords(request.order)} first`;
  io.out(groupTable(answer, request, terminal));
  io.out(aboutLines(answer, shown, terminal));
}

const aboutNotes = (notes: readonly string[]) =>
  notes.map((note) => `note: ${escapeControl(note)}\n`).join("");

async function showSeries(
  request: HistoryRequest,
  source: AskSource,
  { io, terminal, progress }: Output,
): Promise<void> {
  const response = await source.ask(pathOf(request), parametersOf(request));
  const answer = await readAnswer(response, timeseriesSchema, source.place);
  progress.erase();
  if (answer.total.packets.every((packets) => packets === 0)) {
    io.out(emptyLines(request, answer.coverage, terminal) + aboutNotes(answer.notes));
    return;
  }
  io.out(seriesTable(answer, request.order, terminal));
  io.out(aboutLines(answer, `; one line for ${answer.step} s`, terminal));
}

/** What history covers, as a page of rows tells it. */
async function coverageOf(source: AskSource) {
  const response = await source.ask("/api/history", { limit: "1", until: "1970-01-01T00:00:00Z" });
  return (await readAnswer(response, z.object({ coverage: coverageSchema }), source.place)).coverage;
}

async function showRows(
  request: HistoryRequest,
  source: AskSource,
  listing: RowListing,
  output: Output,
): Promise<void> {
  const response = await source.ask(pathOf(request), parametersOf(request));
  await listing.print(response, source.place);
  output.progress.erase();
  if (listing.rows === 0 && request.format === "table") {
    output.io.out(emptyLines(request, await coverageOf(source), output.terminal));
  }
  if (listing.isCut) {
    output.io.err(`ayaflow: stopped after --limit ${request.limit} rows; there are older ones that match\n`);
  }
}

async function respond(
  request: HistoryRequest,
  source: AskSource,
  io: CommandIo,
  terminal: Terminal,
): Promise<void> {
  let listing: RowListing | null = null;
  const detail = () =>
    listing === null || listing.rows === 0 ? "" : `${listing.rows.toLocaleString("en")} rows`;
  using progress = new Progress("history", terminal.hasErrors, (text) => io.err(text), detail);
  const output = { io, terminal, progress };
  if (request.kind === "rows" && request.format !== "csv" && request.format !== "ndjson") {
    listing = new RowListing(request.format, output);
    await showRows(request, source, listing, output);
  } else if (request.format === "table") {
    await (request.kind === "series" ? showSeries : showGroups)(request, source, output);
  } else {
    await copy(await source.ask(pathOf(request), parametersOf(request)), output);
    if (request.format === "json") io.out("\n");
  }
  progress.erase();
  await io.flush();
}

/**
 * `ayaflow history`: answers from an agent or a database. Returns the exit code; nothing found is 0 as well.
 * @throws UsageError, AyaflowError.
 */
export async function history(
  request: HistoryRequest,
  target: AskTarget,
  io: CommandIo,
  terminal: Terminal,
): Promise<number> {
  using source = await openSource(target);
  if (terminal.hasErrors && target.kind === "either")
    io.err(`history: from ${escapeControl(source.place)}\n`);
  for (const note of source.notes) io.err(`ayaflow: ${escapeControl(note)}\n`);
  try {
    await respond(request, source, io, terminal);
    source.check();
    return 0;
  } catch (error) {
    // Its reader, such as head(1), has seen enough.
    if (isBrokenPipe(error)) return 0;
    if (error instanceof AyaflowError) throw error;
    throw new AyaflowError(`${source.place}: the answer broke off: ${errorMessage(error)}`, { cause: error });
  }
}
