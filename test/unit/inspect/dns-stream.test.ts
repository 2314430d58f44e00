import { expect, test } from "bun:test";
import { nextMessage } from "../../../src/inspect/dns-stream.ts";
import { concat, fields, withUint16 } from "../../support/bytes.ts";
import { addressRecord, dnsAnswer, dnsQuery } from "../../support/dns.ts";

const text = (value: string) => new TextEncoder().encode(value);
const framed = (message: Uint8Array) => concat(fields([message.length, 2]), message);
const query = dnsQuery("example.com");
const answer = dnsAnswer("example.com", [addressRecord("example.com", "192.0.2.1")]);

test("messages come one after another", () => {
  const stream = concat(framed(query), framed(answer));
  const first = nextMessage(stream);
  expect(first).toEqual({ state: "found", value: query, used: query.length + 2 });
  expect(nextMessage(stream.subarray(query.length + 2))).toEqual({
    state: "found",
    value: answer,
    used: answer.length + 2,
  });
});

test("every shorter start of a message asks for more", () => {
  const stream = framed(answer);
  for (let length = 0; length < stream.length; length++) {
    expect([length, nextMessage(stream.subarray(0, length)).state]).toEqual([length, "more"]);
  }
});

test("a bare header is a message", () => {
  expect(nextMessage(framed(query.subarray(0, 12).with(5, 0))).state).toBe("found");
});

test.each([
  ["TLS", Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x9a, 0x77, 0x10)],
  ["HTTP", text("GET /index.html HTTP/1.1\r\n")],
  ["SSH", text("SSH-2.0-OpenSSH_9.2p1\r\n")],
  ["a message too short for a header", concat(fields([11, 2]), query)],
  ["an opcode that nobody has", framed(withUint16(query, 2, 7 << 11))],
  ["more questions than there is room for", framed(withUint16(query, 4, 5))],
  ["more answers than there is room for", framed(withUint16(query, 6, 2))],
])("%s is no DNS", (_, stream) => {
  expect(nextMessage(stream)).toEqual({ state: "no" });
});
