import { AyaflowError, errorMessage } from "../errors.ts";
import { join } from "./byte-stream.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** `source` as a stream that reads on only when it is asked for more. */
function streamOf(source: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await source.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
    async cancel() {
      await source.return?.();
    },
  });
}

async function* inflate(source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let length = 0;
  try {
    for await (const chunk of streamOf(source).pipeThrough(new DecompressionStream("gzip"))) {
      length += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (error instanceof AyaflowError) throw error;
    throw new AyaflowError(
      `the gzip data is damaged or cut short, ${length} bytes into the capture: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}

/** `first`, then what `rest` has left. */
async function* behind(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/**
 * The bytes of `source`, decompressed when they start as a gzip file does (RFC 1952), one chunk at a time.
 * @throws AyaflowError where the compressed data is damaged or ends early, after what was whole.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < GZIP_MAGIC.length) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = join([head, next.value], head.length + next.value.length);
  }
  const whole = behind(head, chunks);
  yield* GZIP_MAGIC.every((byte, index) => head[index] === byte) ? inflate(whole) : whole;
}

/**
 * The bytes of the file at `path`, a named pipe's too, or of standard input for `-`; decompressed if need be.
 * @throws AyaflowError when it cannot be opened or read.
 */
export async function* openCapture(path: string): AsyncGenerator<Uint8Array> {
  const file = path === STANDARD_INPUT ? Bun.stdin : Bun.file(path);
  try {
    yield* decompressed(file.stream());
  } catch (error) {
    if (error instanceof AyaflowError) throw error;
    const what = path === STANDARD_INPUT ? "standard input" : path;
    throw new AyaflowError(`cannot read ${what}: ${errorMessage(error)}`, { cause: error });
  }
}
