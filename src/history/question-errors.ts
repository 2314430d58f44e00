import { AyaflowError } from "../errors.ts";

/** A question that would take more time or reading than one may. The API answers 503 `query_limit`. */
export class HistoryLimitError extends AyaflowError {
  constructor(message: string) {
    super(message);
    this.name = "HistoryLimitError";
  }
}
