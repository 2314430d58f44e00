import type { Connection } from "../flow/types.ts";
import { ApiError } from "./errors.ts";
import { MAX_LARGE_ANSWERS, RETRY_SOON } from "./limits.ts";
import { connectionView } from "./views.ts";

/** Connections turned into JSON at a time: about 2 ms of the event loop. */
const CHUNK = 1000;

export interface LiveAnswer {
  connections: Connection[];
  matched: number;
  totalPackets: number;
  totalBytes: number;
}

const joined = (connections: readonly Connection[]): string =>
  connections.map((connection) => JSON.stringify(connectionView(connection))).join(",");

/** The JSON text of the answer in pieces, `CHUNK` connections each. */
function* pieces(answer: LiveAnswer): Generator<string> {
  yield '{"connections":[';
  for (let start = 0; start < answer.connections.length; start += CHUNK) {
    yield (start === 0 ? "" : ",") + joined(answer.connections.slice(start, start + CHUNK));
  }
  const totals = {
    matched: answer.matched,
    total_packets: answer.totalPackets,
    total_bytes: answer.totalBytes,
  };
  yield `],${JSON.stringify(totals).slice(1)}`;
}

function streamOf(source: Generator<string>, onEnd: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    // A turn of the event loop between pieces lets sweeps and other requests through.
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      try {
        const next = source.next();
        if (next.done !== true) return controller.enqueue(encoder.encode(next.value));
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      onEnd();
    },
    cancel: onEnd,
  });
}

/**
 * Makes the responses of `/api/live`. One of many connections is written piece by piece as its reader takes it,
 * so that it neither holds the event loop nor is in memory as a whole; few of those run at once, further are
 * refused with ApiError 503.
 */
export function createLiveResponder(): (answer: LiveAnswer) => Response {
  const running = new Set<symbol>();
  const headers = { "content-type": "application/json" };
  return (answer) => {
    const source = pieces(answer);
    if (answer.connections.length <= CHUNK) return new Response([...source].join(""), { headers });
    if (running.size >= MAX_LARGE_ANSWERS) {
      throw new ApiError(
        503,
        "overloaded",
        `${MAX_LARGE_ANSWERS} answers of more than ${CHUNK} connections are being sent; try again in a moment`,
        { headers: RETRY_SOON },
      );
    }
    const own = Symbol("answer");
    running.add(own);
    return new Response(
      streamOf(source, () => running.delete(own)),
      { headers },
    );
  };
}
