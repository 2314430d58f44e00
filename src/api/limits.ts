import { ApiError } from "./errors.ts";

/** Bytes of a request body; no route reads one. */
export const MAX_BODY_BYTES = 64 * 1024;
/** Characters of path and query, which are ASCII on the wire. */
export const MAX_TARGET_LENGTH = 8 * 1024;
export const MAX_QUERY_LENGTH = 4 * 1024;
export const MAX_IN_FLIGHT = 256;
export const MAX_STREAMS = 64;
/** Answers of more than one chunk that may be in the making at once; each holds its connections in memory. */
export const MAX_LARGE_ANSWERS = 4;
/** What the reader of a large answer is handed at a time. */
export const LARGE_ANSWER_SLICE_BYTES = 64 * 1024;
/**
 * A large answer is broken off when its reader takes no further slice for this long. The kernel holds up to 4 MiB for it
 * and asks for more when they are gone, so a reader on this host needs some 200 KiB/s to be sure.
 */
export const LARGE_ANSWER_PATIENCE_MS = 20_000;
/** Questions to history that may be under way or wait for their turn: a page asks several at a time. */
export const MAX_QUESTIONS = 64;
/** What a stream's reader may leave unread before it is dropped. */
export const MAX_STREAM_BUFFER_BYTES = 1024 * 1024;
export const MAX_STREAM_MESSAGE_BYTES = 4 * 1024;

export const RETRY_SOON = { "retry-after": "1" };

/** Refuses a request target or body over the limits: ApiError 411, 413 or 414. */
export function checkLimits(path: string, query: string, headers: Pick<Headers, "get">): void {
  if (path.length + query.length > MAX_TARGET_LENGTH) {
    throw new ApiError(414, "uri_too_long", `the URL is longer than ${MAX_TARGET_LENGTH} characters`);
  }
  if (query.length > MAX_QUERY_LENGTH) {
    throw new ApiError(414, "uri_too_long", `the query is longer than ${MAX_QUERY_LENGTH} characters`);
  }
  if (headers.get("transfer-encoding") !== null) {
    throw new ApiError(
      411,
      "length_required",
      "a chunked body is not accepted; send the request without a body",
    );
  }
  if (Number(headers.get("content-length") ?? 0) > MAX_BODY_BYTES) {
    throw new ApiError(413, "body_too_large", `the body is larger than ${MAX_BODY_BYTES} bytes; send none`);
  }
}
