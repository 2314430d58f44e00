import { expect, test } from "bun:test";
import { parseDns, type DnsMessage } from "../../../src/inspect/dns-message.ts";
import { concat, fields, pattern, withUint16 } from "../../support/bytes.ts";
import {
  addressRecord,
  dnsAnswer,
  dnsMessage,
  dnsQuery,
  ednsRecord,
  nameRecord,
  type Message,
} from "../../support/dns.ts";

const LENIENT = { strict: false, isCut: false };
const STRICT = { strict: true, isCut: false };
const A = 1;

function parse(message: Message | Uint8Array, options = LENIENT): DnsMessage {
  const parsed = parseDns(message instanceof Uint8Array ? message : dnsMessage(message), options);
  if (parsed === null) throw new Error("not DNS");
  return parsed;
}

const answer = dnsAnswer("www.example.com", [
  nameRecord("www.example.com", 5, "cdn.example.net", 60),
  addressRecord("cdn.example.net", "192.0.2.1", 20),
]);

test("a query is read", () => {
  expect(parse(dnsQuery("WWW.Example.com", 28, 0xbeef))).toEqual({
    id: 0xbeef,
    isResponse: false,
    opcode: 0,
    rcode: 0,
    truncated: false,
    questions: [{ name: "www.example.com", type: 28, class: 1 }],
    answers: [],
    edns: false,
    isDamaged: false,
    isCut: false,
  });
});

test("an answer is read, its names compressed or not", () => {
  const { isResponse, answers } = parse(answer);
  expect(isResponse).toBe(true);
  expect(answers.map(({ name, type, ttl, data }) => [name, type, ttl, data])).toEqual([
    ["www.example.com", 5, 60, "cdn.example.net"],
    ["cdn.example.net", 1, 20, "192.0.2.1"],
  ]);
  const plain = dnsMessage({
    id: 7,
    flags: 0x8180,
    questions: [{ name: "www.example.com", type: A }],
    answers: [
      nameRecord("www.example.com", 5, "cdn.example.net", 60),
      addressRecord("cdn.example.net", "192.0.2.1", 20),
    ],
    compress: false,
  });
  expect(plain.length).toBeGreaterThan(answer.length);
  expect(parse(plain)).toEqual(parse(answer));
});

test.each([
  ["TC", 0x8380, { truncated: true }],
  ["NXDOMAIN", 0x8183, { rcode: 3 }],
  ["a notification", 0x2400, { opcode: 4, isResponse: false }],
  ["an update", 0x2800, { opcode: 5 }],
])("%s shows in the flags", (_, flags, expected) => {
  const message = parse({ flags, questions: [{ name: "example.com", type: 6 }] });
  expect(message).toMatchObject({ ...expected, questions: [{ name: "example.com", type: 6 }] });
});

test("EDNS adds the upper bits of the response code, and is no answer", () => {
  const questions = [{ name: "example.com", type: A }];
  expect(parse({ flags: 0x8180, questions, additionals: [ednsRecord(1)] })).toMatchObject({
    rcode: 16,
    edns: true,
  });
  expect(parse({ flags: 0x8181, questions, answers: [ednsRecord(0xf0)] })).toMatchObject({
    rcode: 3841,
    edns: true,
    answers: [],
  });
});

test("answers are those of the answer section alone", () => {
  const message = parse({
    flags: 0x8180,
    questions: [{ name: "example.com", type: A }],
    answers: [addressRecord("example.com", "192.0.2.1")],
    authorities: [nameRecord("example.com", 2, "ns.example.com")],
    additionals: [addressRecord("ns.example.com", "192.0.2.2")],
  });
  expect(message.answers.map(({ data }) => data)).toEqual(["192.0.2.1"]);
  expect(message.isDamaged).toBe(false);
});

test.each([
  [0x7fffffff, 0x7fffffff],
  [0x80000000, 0],
  [0xffffffff, 0],
])("a time to live of %p is %p seconds", (wire, ttl) => {
  expect(parse(dnsAnswer("a", [addressRecord("a", "192.0.2.1", wire)])).answers[0]?.ttl).toBe(ttl);
});

test("the bits of multicast DNS are no part of the class", () => {
  const record = { ...addressRecord("tv.local", "192.0.2.1"), class: 0x8001 };
  const message = parse({
    questions: [
      { name: "tv.local", type: A, class: 0x8001 },
      { name: "tv.local", type: A, class: 0x80ff },
      { name: "tv.local", type: A, class: 0xff00 },
    ],
    answers: [record],
  });
  expect(message.questions.map((question) => question.class)).toEqual([1, 255, 0xff00]);
  expect(message.answers[0]).toMatchObject({ class: 1, data: "192.0.2.1" });
});

test("nothing shorter than a header is DNS", () => {
  expect(parseDns(answer.subarray(0, 11), LENIENT)).toBeNull();
  expect(parse(new Uint8Array(12))).toMatchObject({ questions: [], isDamaged: false });
});

test("what came before damage counts, the damaged name does not", () => {
  const two = withUint16(dnsQuery("example.com"), 4, 2);
  const damaged = parse(concat(two, Uint8Array.of(0x41, 1, 0), fields([1, 2], [1, 2])));
  expect(damaged).toMatchObject({ questions: [{ name: "example.com" }], isDamaged: true, isCut: false });
  const last = concat(withUint16(answer, 6, 3), Uint8Array.of(0xff, 0xff), new Uint8Array(20));
  expect(parse(last)).toMatchObject({ isDamaged: true, answers: [{}, {}] });
});

test("every cut gives what is whole before it", () => {
  const whole = parse(answer);
  for (let length = 12; length < answer.length; length++) {
    const start = answer.subarray(0, length);
    const cut = parse(start, { strict: false, isCut: true });
    expect([length, cut.isCut, cut.isDamaged]).toEqual([length, true, false]);
    expect(cut.answers).toEqual(whole.answers.slice(0, cut.answers.length));
    expect(cut.questions).toHaveLength(length < 33 ? 0 : 1);
    expect(parse(start)).toMatchObject({ isCut: false, isDamaged: true });
  }
});

test("a whole message in a packet that was cut is neither cut nor damaged", () => {
  expect(parse(answer, { strict: false, isCut: true })).toMatchObject({ isCut: false, isDamaged: false });
});

test("damage in a packet that was cut is damage", () => {
  const query = concat(dnsQuery("example.com").with(5, 2), Uint8Array.of(0x41));
  expect(parse(query, { strict: false, isCut: true })).toMatchObject({ isCut: false, isDamaged: true });
});

test("a bounded number of questions and records is looked at", () => {
  const questions = Array.from({ length: 65 }, () => ({ name: "a", type: A }));
  expect(parse({ questions })).toMatchObject({ isDamaged: true });
  expect(parse({ questions }).questions).toHaveLength(64);
  const answers = Array.from({ length: 300 }, () => addressRecord("a", "192.0.2.1"));
  expect(parse(dnsAnswer("a", answers)).answers).toHaveLength(256);
  expect(parse(dnsAnswer("a", answers)).isDamaged).toBe(false);
});

test.each([
  ["a query", dnsQuery("example.com")],
  ["a query with EDNS", dnsMessage({ questions: [{ name: ".", type: 2 }], additionals: [ednsRecord()] })],
  ["an answer", answer],
  [
    "an answer without its question",
    dnsMessage({ flags: 0x8400, answers: [addressRecord("a", "192.0.2.1")] }),
  ],
  ["an SRV query", dnsQuery("_sip._udp.example.com", 33)],
])("%s is certain on any port", (_, bytes) => {
  expect(parseDns(bytes, STRICT)).toEqual(parseDns(bytes, LENIENT));
  expect(parseDns(bytes, STRICT)).not.toBeNull();
});

test.each([
  ["a byte too many", concat(dnsQuery("example.com"), new Uint8Array(1))],
  ["a byte too few", dnsQuery("example.com").subarray(0, -1)],
  ["no question", dnsMessage({})],
  ["an answer without anything in it", dnsMessage({ flags: 0x8180 })],
  ["an opcode that is not in use", dnsMessage({ flags: 0x1800, questions: [{ name: "a", type: A }] })],
  ["the reserved bit", dnsMessage({ flags: 0x0140, questions: [{ name: "a", type: A }] })],
  ["a query with a response code", dnsMessage({ flags: 0x0102, questions: [{ name: "a", type: A }] })],
  ["an unknown type", dnsQuery("example.com", 700)],
  ["an unknown class", dnsMessage({ questions: [{ name: "a", type: A, class: 7 }] })],
  ["a record of unknown type", dnsAnswer("a", [nameRecord("a", 700, "b")])],
  ["a NetBIOS name query", dnsQuery("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32)],
  ["a NetBIOS status query", dnsQuery("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 33)],
  ["a NetBIOS response", dnsMessage({ flags: 0x8500, answers: [nameRecord("EFEDEJFP", 32, "a")] })],
  ["records past the bound", dnsAnswer("a", Array(257).fill(addressRecord("a", "192.0.2.1")))],
  ["zeros", new Uint8Array(64)],
])("%s is not certain, and still read on DNS's own ports", (_, bytes) => {
  expect(parseDns(bytes, STRICT)).toBeNull();
  expect(parseDns(bytes, LENIENT)).not.toBeNull();
});

test("the cut start of a message is certain once its questions are there", () => {
  const cut = { strict: true, isCut: true };
  expect(parseDns(answer.subarray(0, 32), cut)).toBeNull();
  expect(parseDns(answer.subarray(0, 40), cut)).toMatchObject({ isCut: true, questions: [{}] });
  expect(parseDns(answer.subarray(0, 40), STRICT)).toBeNull();
  expect(parseDns(withUint16(answer, 4, 2).subarray(0, 36), cut)).toBeNull();
});

test("patterned and broken bytes never throw and are never certain", () => {
  for (let seed = 0; seed < 256; seed++) {
    expect(parseDns(pattern(200, seed), STRICT)).toBeNull();
    for (let at = 2; at < answer.length; at++) {
      const broken = parseDns(answer.with(at, seed), LENIENT);
      expect(broken?.questions.length).toBeLessThanOrEqual(64);
    }
  }
});
