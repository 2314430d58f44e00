import { errorMessage, UsageError } from "../errors.ts";
import { ApiError, badRequest } from "./errors.ts";
import type { HistoryView } from "./types.ts";

/** The history; throws ApiError 503 where it could not be opened. */
export function requireHistory(history: HistoryView | null): HistoryView {
  if (history !== null) return history;
  throw new ApiError(
    503,
    "history_unavailable",
    "history could not be opened; see the log of the agent for why",
  );
}

/** What history threw, as the API says it: 400 for a question it cannot answer, else 503. */
export function historyError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof UsageError) return badRequest(error.problems);
  return new ApiError(503, "history_unavailable", `history cannot be read: ${errorMessage(error)}`, {
    cause: error,
  });
}
