import { errorMessage, UsageError } from "../errors.ts";
import { FilterError } from "../filter/errors.ts";
import { HistoryLimitError } from "../history/question-errors.ts";
import { ApiError, badRequest } from "./errors.ts";
import { MAX_QUESTIONS, RETRY_SOON } from "./limits.ts";

/** The history; throws ApiError 503 where it could not be opened. */
export function requireHistory<T>(history: T | null): T {
  if (history !== null) return history;
  throw new ApiError(
    503,
    "history_unavailable",
    "history could not be opened; see the log of the agent for why",
  );
}

/** What history threw, as the API says it: 400 for a question it cannot answer, else 503, `query_limit` for one too large. */
export function historyError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof FilterError) {
    const { at, length } = error;
    return badRequest([`q: ${error.message}`], { parameter: "q", at, length });
  }
  if (error instanceof UsageError) return badRequest(error.problems);
  if (error instanceof HistoryLimitError) return new ApiError(503, "query_limit", error.message);
  return new ApiError(503, "history_unavailable", `history cannot be read: ${errorMessage(error)}`, {
    cause: error,
  });
}

/**
 * What asks history, which answers few questions at a time: no more than MAX_QUESTIONS may be under way or wait.
 * Rejects with ApiError: 503 for a further one, 499 where `signal` says that nobody reads the answer.
 */
export type Asking = <T>(ask: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

export function createAsking(): Asking {
  let asked = 0;
  return async (ask, signal) => {
    if (asked >= MAX_QUESTIONS) {
      throw new ApiError(503, "overloaded", `${asked} questions to history wait; try again in a moment`, {
        headers: RETRY_SOON,
      });
    }
    asked += 1;
    try {
      return await ask();
    } catch (error) {
      // The status that other servers log for it.
      if (signal?.aborted === true) throw new ApiError(499, "client_gone", "the client did not wait");
      throw historyError(error);
    } finally {
      asked -= 1;
    }
  };
}
