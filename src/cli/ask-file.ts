import { ApiError } from "../api/errors.ts";
import { parseHistoryQuery } from "../api/history-query.ts";
import { createRowsResponder } from "../api/rows-answer.ts";
import { createSumsResponder, type SumsResponder } from "../api/sums-answer.ts";
import { parseTimeseriesQuery } from "../api/sums-query.ts";
import { AyaflowError, UsageError } from "../errors.ts";
import { createHistoryReader, type HistoryReader } from "../history/query.ts";
import { createQuestions, type Questions } from "../history/questions.ts";
import type { Parameters } from "./ask-agent.ts";
import { type ReadableDatabase, readableDatabase } from "./ask-database.ts";

/** What a problem of the API means to who typed the command. */
function explain(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.problems !== undefined) return new UsageError(error.problems);
  return new AyaflowError(error.message, { cause: error });
}

/** Answers what `/api/history` and `/api/timeseries` do, as they do, from a database without an agent. */
export class FileHistory implements Disposable {
  private readonly file: ReadableDatabase;
  private readonly reader: HistoryReader;
  private readonly questions: Questions;
  private readonly rows: ReturnType<typeof createRowsResponder>;
  private readonly sums: SumsResponder;

  /** @throws AyaflowError when the file cannot be read as history. */
  constructor(path: string) {
    this.file = readableDatabase(path);
    this.reader = createHistoryReader(this.file.open());
    this.questions = createQuestions(path, undefined, () => this.file.open());
    const { reader, questions } = this;
    this.rows = createRowsResponder({
      query: (query) => reader.query(query),
      coverage: () => reader.coverage(),
    });
    this.sums = createSumsResponder({ ask: (question) => questions.ask(question) });
  }

  get notes(): readonly string[] {
    return this.file.notes;
  }

  /** @throws UsageError for parameters that cannot be answered, AyaflowError when there is no answer in time. */
  async ask(path: string, parameters: Parameters): Promise<Response> {
    try {
      return await this.respond(path, new URLSearchParams(parameters).toString());
    } catch (error) {
      throw explain(error);
    }
  }

  /** @throws AyaflowError when what was answered may be nonsense. */
  check(): void {
    this.file.check();
  }

  [Symbol.dispose](): void {
    this.questions.close();
    this.reader.close();
  }

  private async respond(path: string, query: string): Promise<Response> {
    const nowMs = Date.now();
    if (path === "/api/timeseries") {
      return await this.sums.timeseries(parseTimeseriesQuery(query, nowMs, () => this.reader.coverage()));
    }
    const asked = parseHistoryQuery(query, nowMs);
    return asked.kind === "rows"
      ? this.rows(asked.query, asked.format)
      : await this.sums.groups(asked.question, asked.format);
  }
}
