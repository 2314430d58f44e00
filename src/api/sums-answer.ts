import type { Answer, AnsweredGroup, Question } from "../history/question-types.ts";
import { csvLine } from "./csv.ts";
import { CONTENT_TYPES, jsonLine } from "./formats.ts";
import { type Asking, createAsking, requireHistory } from "./history-access.ts";
import type { Format } from "./history-query.ts";
import { MAX_LARGE_ANSWERS } from "./limits.ts";
import { groupHeader, groupLines, groupViews, restView, timeseriesView } from "./question-views.ts";
import { LargeAnswers } from "./streamed.ts";
import type { HistoryView } from "./types.ts";
import { rfc3339 } from "./views.ts";

/** Sums turned into text at a time: some milliseconds of the event loop. */
const CHUNK = 1000;

/** The groups, so many at a time that they have about CHUNK sums. */
function* slices(groups: readonly AnsweredGroup[], sumsEach: number): Generator<readonly AnsweredGroup[]> {
  const size = Math.max(1, Math.floor(CHUNK / sumsEach));
  for (let start = 0; start < groups.length; start += size) yield groups.slice(start, start + size);
}

const sumsOf = (answer: Answer): number => Math.max(1, answer.pointsMs?.length ?? 1);

function* jsonPieces(question: Question, answer: Answer): Generator<string> {
  const view = groupViews(question, answer);
  let separator = "";
  yield '{"groups":[';
  for (const groups of slices(answer.groups, sumsOf(answer))) {
    yield separator + groups.map((group) => JSON.stringify(view(group))).join(",");
    separator = ",";
  }
  yield `],${JSON.stringify(restView(question, answer)).slice(1)}`;
}

/** A group a line, then all the rest of the answer. */
function* ndjsonPieces(question: Question, answer: Answer): Generator<string> {
  const view = groupViews(question, answer);
  for (const groups of slices(answer.groups, sumsOf(answer))) {
    yield groups.map((group) => jsonLine(view(group))).join("");
  }
  yield jsonLine(restView(question, answer));
}

function* csvPieces(question: Question, answer: Answer): Generator<string> {
  const times = (answer.pointsMs ?? []).map(rfc3339);
  yield csvLine(groupHeader(question));
  for (const groups of slices(answer.groups, sumsOf(answer))) {
    yield groups.flatMap((group) => groupLines(group, times).map(csvLine)).join("");
  }
}

const PIECES = { json: jsonPieces, ndjson: ndjsonPieces, csv: csvPieces };

export interface SumsResponder {
  /** Groups. Rejects with ApiError, 503 when too many ask or it takes too long. */
  groups(question: Question, format: Format, signal?: AbortSignal): Promise<Response>;
  /** One number a point; the question has a step. Rejects with the same. */
  timeseries(question: Question, signal?: AbortSignal): Promise<Response>;
}

/** Makes the answers that are sums over history. */
export function createSumsResponder(
  history: Pick<HistoryView, "ask"> | null,
  asking: Asking = createAsking(),
): SumsResponder {
  const ask = (question: Question, signal: AbortSignal | undefined): Promise<Answer> =>
    asking(
      async () => requireHistory(history).ask(signal === undefined ? question : { ...question, signal }),
      signal,
    );
  const large = new LargeAnswers(MAX_LARGE_ANSWERS, `answers of more than ${CHUNK} sums`);
  return {
    async groups(question, format, signal) {
      const answer = await ask(question, signal);
      const pieces = PIECES[format](question, answer);
      const contentType = CONTENT_TYPES[format];
      if (answer.groups.length * sumsOf(answer) > CHUNK) return large.respond(pieces, contentType);
      return new Response([...pieces].join(""), { headers: { "content-type": contentType } });
    },
    async timeseries(question, signal) {
      return Response.json(timeseriesView(question, await ask(question, signal)));
    },
  };
}
