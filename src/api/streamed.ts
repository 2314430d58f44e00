import { ApiError } from "./errors.ts";
import { LARGE_ANSWER_SLICE_BYTES, LARGE_ANSWER_PATIENCE_MS, RETRY_SOON } from "./limits.ts";

type Texts = Iterator<string> | AsyncIterator<string>;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** The bytes of `source` in slices, none of them empty, with a turn of the event loop before each text. */
async function* slicesOf(source: Texts): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  for (;;) {
    // Lets sweeps and other requests through.
    await turn();
    const { done, value } = await source.next();
    if (done === true) return;
    const bytes = encoder.encode(value);
    for (let start = 0; start < bytes.length; start += LARGE_ANSWER_SLICE_BYTES) {
      yield bytes.subarray(start, start + LARGE_ANSWER_SLICE_BYTES);
    }
  }
}

/** The bytes of `source` as their reader takes them; broken off when it takes none for `patienceMs`. */
function streamOf(source: Texts, patienceMs: number, onEnd: () => void): ReadableStream<Uint8Array> {
  const slices = slicesOf(source);
  let isOver = false;
  let patience: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    isOver = true;
    clearTimeout(patience);
    onEnd();
  };
  return new ReadableStream({
    async pull(controller) {
      clearTimeout(patience);
      try {
        const { done, value } = await slices.next();
        if (isOver) return;
        if (done !== true) {
          controller.enqueue(value);
          patience = setTimeout(() => {
            controller.error(new Error(`the reader took nothing for ${patienceMs} ms`));
            end();
          }, patienceMs);
          return;
        }
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
 * memory as a whole. `limit` of them run at once, none longer than its reader goes on reading.
 */
export class LargeAnswers {
  private readonly running = new Set<symbol>();

  /** `what` they are, in the plural. */
  constructor(
    private readonly limit: number,
    private readonly what: string,
    private readonly patienceMs = LARGE_ANSWER_PATIENCE_MS,
  ) {}

  /** The answer of the pieces. A piece that throws breaks the body off. @throws ApiError 503 when `limit` are running. */
  respond(pieces: Texts, contentType: string): Response {
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
      streamOf(pieces, this.patienceMs, () => this.running.delete(own)),
      { headers: { "content-type": contentType } },
    );
  }
}
