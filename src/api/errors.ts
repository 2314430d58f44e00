import { AyaflowError } from "../errors.ts";

export const ERROR_CODES = [
  "bad_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "length_required",
  "body_too_large",
  "uri_too_long",
  "upgrade_required",
  "internal_error",
  "overloaded",
  "history_unavailable",
  "query_limit",
  "client_gone",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where in the text of a parameter something is wrong, in UTF-16 units. */
export interface ErrorPosition {
  parameter: string;
  at: number;
  length: number;
}

interface ApiErrorOptions {
  headers?: Record<string, string>;
  /** Every problem found, when there can be several. */
  problems?: readonly string[];
  position?: ErrorPosition | undefined;
  cause?: unknown;
}

/** A refusal with its HTTP status; `message` names the input and the fix, and is sent to the client. */
export class ApiError extends AyaflowError {
  readonly status: number;
  readonly code: ErrorCode;
  readonly headers: Record<string, string>;
  readonly problems: readonly string[] | undefined;
  readonly position: ErrorPosition | undefined;

  constructor(status: number, code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.problems = options.problems;
    this.position = options.position;
  }
}

/** 400 with every problem of the request, and where in a filter the first is. */
export function badRequest(problems: readonly string[], position?: ErrorPosition): ApiError {
  return new ApiError(400, "bad_request", problems.join("; "), { problems, position });
}

/** `{error: {code, message, problems?, position?}}` with the error's status and headers. */
export function errorResponse(error: ApiError): Response {
  const { code, message, problems, position } = error;
  // JSON leaves out what is undefined.
  const body = { error: { code, message, problems, position } };
  return Response.json(body, { status: error.status, headers: error.headers });
}
