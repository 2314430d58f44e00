import { decodeHuffman } from "../../src/inspect/hpack-huffman.ts";
import { HpackDecoder } from "../../src/inspect/hpack.ts";
import { readHttpRequest } from "../../src/inspect/http.ts";
import { Http2DnsReader } from "../../src/inspect/http2-dns.ts";
import { readHttp2 } from "../../src/inspect/http2.ts";
import { must, mustBeShown, mustNotDependOnCuts } from "./invariants.ts";
import { mutated, split } from "./mutate.ts";
import { HTTP_REQUESTS, HTTP_RESPONSES, HTTP2_STREAMS } from "./seeds.ts";
import type { Target } from "./target.ts";

/** What src/inspect/http2-dns.ts states: unfinished messages, a frame and a header block with what is added to it. */
const MAX_MEMORY = 131_072 + 65_536 + 2 * 32_768;
const MAX_MESSAGE = 65_535;
const MAX_UNKNOWN_LINE = 2048;
const MAX_CHUNKS = 12;
const FRAME_HEADER = 9;
const PREFACE = 24;

function messagesIn(parts: readonly Uint8Array[]): string[] {
  const reader = new Http2DnsReader();
  const messages: string[] = [];
  for (const part of parts) {
    reader.push(part, (message) => {
      must(message.length <= MAX_MESSAGE, "a message that is not too long");
      messages.push(message.toHex());
    });
    must(reader.memory >= 0 && reader.memory <= MAX_MEMORY, `memory within bounds, not ${reader.memory}`);
  }
  return messages;
}

/** Decodes two blocks, the second with what the first left in the table. */
function decodeBlocks(decoder: HpackDecoder, blocks: readonly Uint8Array[]): void {
  for (const block of blocks) {
    let fields = 0;
    decoder.decode(block, () => fields++);
    must(fields <= block.length, "no more fields than bytes");
  }
}

export const HTTP_TARGETS: readonly Target[] = [
  {
    name: "http",
    make: (random) => [mutated(random, random.oneIn(5) ? HTTP_RESPONSES : HTTP_REQUESTS)],
    check([stream = new Uint8Array()], random) {
      // A longer line without its end is taken for a request if its method is known, and else only with its end.
      const cut = random.below(Math.min(stream.length, MAX_UNKNOWN_LINE) + 1);
      const request = mustNotDependOnCuts(readHttpRequest, stream, cut);
      if (request.state === "found") mustBeShown(request.value.host);
    },
  },
  {
    name: "http2",
    make: (random) => [mutated(random, HTTP2_STREAMS)],
    check([stream = new Uint8Array()], random) {
      const request = mustNotDependOnCuts(readHttp2, stream, random.below(stream.length + 1));
      if (request.state === "found") mustBeShown(request.value.authority);
      const whole = messagesIn([stream]);
      const parts = messagesIn(split(random, stream, MAX_CHUNKS));
      must(Bun.deepEquals(whole, parts), "the same messages however the stream is cut");
    },
  },
  {
    name: "hpack",
    make: (random) => [mutated(random, HTTP2_STREAMS), mutated(random, HTTP2_STREAMS)],
    check([first = new Uint8Array(), second = first], random) {
      const at = PREFACE + FRAME_HEADER + random.below(FRAME_HEADER + 8);
      decodeBlocks(new HpackDecoder(), [first.subarray(at + 6 + FRAME_HEADER), second.subarray(at)]);
      const decoded = decodeHuffman(second);
      must(decoded === null || decoded.length <= (second.length * 8) / 5, "no more than 8/5 of the input");
    },
  },
];
