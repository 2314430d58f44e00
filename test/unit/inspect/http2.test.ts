import { describe, expect, test } from "bun:test";
import { readHttp2 } from "../../../src/inspect/http2.ts";
import { Http2DnsReader } from "../../../src/inspect/http2-dns.ts";
import { concat, fields, pattern } from "../../support/bytes.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const PREFACE = ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, CONTINUATION] = [0, 1, 2, 3, 4, 5, 9];
const END_STREAM = 0x01;
const END_HEADERS = 0x04;
const PADDED = 0x08;
const WITH_PRIORITY = 0x20;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  return concat(fields([length >> 16, 1], [length & 0xffff, 2], [type, 1], [flags, 1], [stream, 4]), payload);
}

/** A literal that is not indexed, without Huffman coding; names and values under 127 bytes. */
function field(name: string, value: string): Uint8Array {
  return concat(Uint8Array.of(0, name.length), ascii(name), Uint8Array.of(value.length), ascii(value));
}

const START = concat(PREFACE, frame(SETTINGS, 0, 0, new Uint8Array(6)));
const AUTHORITY = field(":authority", "Example.com:8080");
const REQUEST = frame(HEADERS, END_HEADERS, 1, AUTHORITY);

describe("the first request", () => {
  test("is found in HEADERS, behind other frames", () => {
    const others = concat(frame(PRIORITY, 0, 3, new Uint8Array(5)), frame(0xfa, 0, 0, pattern(20)));
    const stream = concat(START, others, REQUEST);
    for (let length = 0; length < stream.length; length++) {
      expect(["more", "found"]).toContain(readHttp2(stream.subarray(0, length)).state);
    }
    expect(readHttp2(concat(stream, pattern(9)))).toEqual({
      state: "found",
      value: { authority: "example.com", carriesDns: false },
      used: stream.length,
    });
  });

  test.each([
    ["padding", PADDED, concat(Uint8Array.of(4), AUTHORITY, new Uint8Array(4))],
    ["a priority", WITH_PRIORITY, concat(new Uint8Array(5), AUTHORITY)],
    [
      "both",
      PADDED | WITH_PRIORITY,
      concat(Uint8Array.of(2), new Uint8Array(5), AUTHORITY, new Uint8Array(2)),
    ],
  ])("is found within %s", (_, flags, payload) => {
    const reading = readHttp2(concat(START, frame(HEADERS, END_HEADERS | flags, 1, payload)));
    expect(reading).toMatchObject({ value: { authority: "example.com" } });
  });

  test("is found across CONTINUATION frames", () => {
    const stream = concat(
      START,
      frame(HEADERS, 0, 1, AUTHORITY.subarray(0, 3)),
      frame(CONTINUATION, 0, 1, AUTHORITY.subarray(3, 20)),
      frame(CONTINUATION, END_HEADERS, 1, AUTHORITY.subarray(20)),
    );
    expect(readHttp2(stream)).toEqual({
      state: "found",
      value: { authority: "example.com", carriesDns: false },
      used: stream.length,
    });
    expect(readHttp2(stream.subarray(0, stream.length - 1))).toEqual({ state: "more" });
  });

  test("is found before its block has ended, if the authority is there", () => {
    const stream = concat(
      START,
      frame(HEADERS, 0, 1, concat(AUTHORITY, field("cookie", "x").subarray(0, 4))),
    );
    expect(readHttp2(stream)).toMatchObject({ state: "found", value: { authority: "example.com" } });
  });

  test.each([
    ["the host field where there is no authority", [field("host", "h.example")], "h.example"],
    ["the authority where there are both", [AUTHORITY, field("host", "h.example")], "example.com"],
    ["no name for an address", [field(":authority", "[2001:db8::1]:80")], null],
    ["no name for an empty block", [], null],
  ])("gives %s", (_, parts, authority) => {
    const reading = readHttp2(concat(START, frame(HEADERS, END_HEADERS, 1, concat(...parts))));
    expect(reading).toMatchObject({ state: "found", value: { authority } });
  });

  test.each([
    ["another protocol", ascii("PRI * HTTP/1.1\r\n"), "no"],
    ["no SETTINGS first", concat(PREFACE, REQUEST), "bad"],
    ["DATA before HEADERS", concat(START, frame(DATA, 0, 1, pattern(3))), "bad"],
    ["CONTINUATION before HEADERS", concat(START, frame(CONTINUATION, END_HEADERS, 1, AUTHORITY)), "bad"],
    [
      "another frame within a block",
      concat(START, frame(HEADERS, 0, 1, AUTHORITY), frame(DATA, 0, 1, pattern(3))),
      "bad",
    ],
    [
      "another stream within a block",
      concat(START, frame(HEADERS, 0, 1, AUTHORITY), frame(CONTINUATION, 4, 3, pattern(3))),
      "bad",
    ],
    [
      "more padding than payload",
      concat(START, frame(HEADERS, END_HEADERS | PADDED, 1, Uint8Array.of(9, 1))),
      "bad",
    ],
    [
      "a malformed block",
      concat(START, frame(HEADERS, END_HEADERS, 1, concat(AUTHORITY, Uint8Array.of(0x80)))),
      "bad",
    ],
  ])("with %s is %p", (_, stream, state) => {
    expect(readHttp2(stream).state as string).toBe(state);
  });

  test("bytes of any kind end in a reading", () => {
    for (let seed = 0; seed < 256; seed++) {
      const { state } = readHttp2(
        concat(START, frame(HEADERS, END_HEADERS, 1, pattern(60, seed)), pattern(60, seed)),
      );
      expect(["found", "bad"]).toContain(state);
    }
  });
});

describe("DNS over HTTP/2", () => {
  const DNS_MEDIA = field("content-type", "Application/dns-message; charset=x");
  const QUERY = pattern(40, 3);

  /** The messages that a reader finds, the stream given in pieces of `size` bytes. */
  function messages(stream: Uint8Array, size = stream.length): string[] {
    const reader = new Http2DnsReader();
    const found: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      reader.push(stream.slice(at, at + size), (dns) => found.push(Buffer.from(dns).toString("hex")));
    }
    return found;
  }
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const post = (stream: number, ...body: Uint8Array[]) =>
    concat(frame(HEADERS, END_HEADERS, stream, DNS_MEDIA), ...body);

  test.each([1, 2, 7, 1000])("is found in pieces of %d bytes, with and without preface", (size) => {
    const body = [frame(DATA, 0, 1, QUERY.subarray(0, 9)), frame(DATA, END_STREAM, 1, QUERY.subarray(9))];
    const other = concat(
      frame(HEADERS, END_HEADERS, 3, field("a", "b")),
      frame(DATA, END_STREAM, 3, pattern(50)),
    );
    const stream = concat(frame(SETTINGS, 0, 0, new Uint8Array()), other, post(1, ...body));
    expect(messages(stream, size)).toEqual([hex(QUERY)]);
    expect(messages(concat(PREFACE, stream), size)).toEqual([hex(QUERY)]);
  });

  test("is found in padded frames of streams that overlap, ended by trailers", () => {
    const stream = concat(
      post(1),
      post(3),
      frame(DATA, PADDED, 3, concat(Uint8Array.of(3), QUERY, new Uint8Array(3))),
      frame(DATA, END_STREAM, 1, pattern(20)),
      frame(HEADERS, END_HEADERS | END_STREAM, 3, field("a", "b")),
    );
    expect(messages(stream)).toEqual([hex(pattern(20)), hex(QUERY)]);
  });

  test.each(["dns", "a=b&dns"])("is found in the target of a GET, as %s", (parameter) => {
    const path = `/dns-query?${parameter}=${Buffer.from(QUERY).toString("base64url")}`;
    const target = field(":path", path);
    const block = concat(Uint8Array.of(0x82), target);
    expect(messages(frame(HEADERS, END_HEADERS | END_STREAM, 1, block))).toEqual([hex(QUERY)]);
    expect(
      messages(frame(HEADERS, END_HEADERS | END_STREAM, 1, concat(Uint8Array.of(0x83), target))),
    ).toEqual([]);
  });

  test("keeps the table of header fields over all blocks, pushed ones among them", () => {
    const media = "application/dns-message";
    const indexed = concat(Uint8Array.of(0x5f, media.length), ascii(media));
    const promise = concat(fields([2, 4]), indexed.subarray(0, 5));
    const stream = concat(
      frame(PUSH_PROMISE, 0, 1, promise),
      frame(CONTINUATION, END_HEADERS, 1, indexed.subarray(5)),
      frame(HEADERS, END_HEADERS, 2, Uint8Array.of(0xbe)),
      frame(DATA, END_STREAM, 2, QUERY),
    );
    expect(messages(stream, 3)).toEqual([hex(QUERY)]);
  });

  test("forgets a stream that was reset", () => {
    const half = frame(DATA, 0, 1, QUERY);
    const stream = concat(
      post(1, half),
      frame(RST_STREAM, 0, 1, new Uint8Array(4)),
      frame(DATA, END_STREAM, 1, QUERY),
    );
    expect(messages(stream)).toEqual([]);
  });

  test("drops a message larger than DNS allows, and reads on", () => {
    const large = Array.from({ length: 5 }, () => frame(DATA, 0, 1, pattern(16_000)));
    expect(messages(concat(post(1, ...large), post(3, frame(DATA, END_STREAM, 3, QUERY))))).toEqual([
      hex(QUERY),
    ]);
  });

  test("drops the oldest of too many unfinished messages", () => {
    const open = Array.from({ length: 257 }, (_, index) =>
      post(2 * index + 1, frame(DATA, 0, 2 * index + 1, QUERY)),
    );
    const ends = [1, 3].map((stream) => frame(DATA, END_STREAM, stream, new Uint8Array()));
    expect(messages(concat(...open, ...ends))).toEqual([hex(QUERY)]);
    const large = [1, 3, 5].flatMap((stream) =>
      post(stream, frame(DATA, 0, stream, pattern(60_000, stream))),
    );
    expect(messages(concat(...large, ...ends))).toEqual([hex(pattern(60_000, 3))]);
  });

  test.each([
    ["a block that is malformed", frame(HEADERS, END_HEADERS, 1, Uint8Array.of(0x80))],
    ["a block without end", frame(HEADERS, END_HEADERS, 1, new Uint8Array(40_000))],
    [
      "a block in too many parts",
      concat(frame(HEADERS, 0, 1, pattern(20_000)), frame(CONTINUATION, 0, 1, pattern(20_000))),
    ],
    ["a frame within a block", concat(frame(HEADERS, 0, 1, DNS_MEDIA), frame(DATA, 0, 1, QUERY))],
    ["CONTINUATION of nothing", frame(CONTINUATION, END_HEADERS, 1, DNS_MEDIA)],
    ["padding without payload", frame(HEADERS, END_HEADERS | PADDED, 1, Uint8Array.of(3))],
  ])("ends with %s", (_, broken) => {
    expect(messages(concat(broken, post(3, frame(DATA, END_STREAM, 3, QUERY))))).toEqual([]);
  });

  test("bytes of any kind do not stop it from returning", () => {
    for (let seed = 0; seed < 256; seed++) {
      expect(messages(concat(PREFACE, pattern(2000, seed)), 13).length).toBeLessThan(200);
    }
  });
});
