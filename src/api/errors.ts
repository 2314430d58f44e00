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
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

interface ApiErrorOptions {
  headers?: Record<string, string>;
  /** Every problem found, when there can be several. */
  problems?: readonly string[];
  cause?: unknown;
}

/** A refusal with its HTTP status; `message` names the input and the fix, and is sent to the client. */
export class ApiError extends AyaflowError {
  readonly status: number;
  readonly code: ErrorCode;
  readonly headers: Record<string, string>;
  readonly problems: readonly string[] | undefined;

  constructor(status: number, code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.problems = options.problems;
  }
}

/** 400 with every problem of the request. */
export function badRequest(problems: readonly string[]): ApiError {
  return new ApiError(400, "bad_request", problems.join("; "), { problems });
}

/** `{error: {code, message, problems?}}` with the error's status and headers. */
export function errorResponse(error: ApiError): Response {
  const { code, message, problems } = error;
  const body = { error: problems === undefined ? { code, message } : { code, message, problems } };
  return Response.json(body, { status: error.status, headers: error.headers });
}
