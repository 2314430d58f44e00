import type { Connection } from "../flow/types.ts";
import { MAX_LARGE_ANSWERS } from "./limits.ts";
import { LargeAnswers } from "./streamed.ts";
import { connectionView } from "./views.ts";

/** Connections turned into JSON at a time: about 2 ms of the event loop. */
const CHUNK = 1000;

export interface LiveAnswer {
  connections: Connection[];
  matched: number;
  offset: number;
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
    offset: answer.offset,
    total_packets: answer.totalPackets,
    total_bytes: answer.totalBytes,
  };
  yield `],${JSON.stringify(totals).slice(1)}`;
}

/** Makes the responses of `/api/live`; those of many connections go in pieces, few at once: ApiError 503 for further. */
export function createLiveResponder(): (answer: LiveAnswer) => Response {
  const large = new LargeAnswers(MAX_LARGE_ANSWERS, `answers of more than ${CHUNK} connections`);
  return (answer) => {
    const source = pieces(answer);
    const contentType = "application/json";
    if (answer.connections.length > CHUNK) return large.respond(source, contentType);
    return new Response([...source].join(""), { headers: { "content-type": contentType } });
  };
}
