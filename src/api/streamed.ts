import { ApiError } from "./errors.ts";
import { RETRY_SOON } from "./limits.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The texts of `source` as its reader takes them, with a turn of the event loop before each. */
function streamOf(
  source: Iterator<string> | AsyncIterator<string>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const state = { isOver: false };
  const end = () => {
    state.isOver = true;
    onEnd();
  };
  const nextText = async (): Promise<string | undefined> => {
    while (!state.isOver) {
      // Lets sweeps and other requests through.
      await turn();
      const { done, value } = await source.next();
      if (done === true) return undefined;
      // An empty chunk would end the body (RFC 9112 section 7.1).
      if (value !== "") return value;
    }
    return undefined;
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const text = await nextText();
        if (state.isOver) return;
        if (text !== undefined) return controller.enqueue(encoder.encode(text));
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    cancel: end,
  });
}

/**
 * Answers that are written piece by piece as their reader takes them, so that none holds the event loop or is in
 * memory as a whole. `limit` of them run at once.
 */
export class LargeAnswers {
  private readonly running = new Set<symbol>();

  /** `what` they are, in the plural. */
  constructor(
    private readonly limit: number,
    private readonly what: string,
  ) {}

  /** The answer of the pieces. A piece that throws breaks the body off. @throws ApiError 503 when `limit` are running. */
  respond(pieces: Iterator<string> | AsyncIterator<string>, contentType: string): Response {
    if (this.running.size >= this.limit) {
      throw new ApiError(
        503,
        "overloaded",
        `${this.limit} ${this.what} are being sent; try again in a moment`,
        {
          headers: RETRY_SOON,
        },
      );
    }
    const own = Symbol("answer");
    this.running.add(own);
    return new Response(
      streamOf(pieces, () => this.running.delete(own)),
      { headers: { "content-type": contentType } },
    );
  }
}
