import { expect, test } from "bun:test";
import type { DnsTransport, Ends } from "../../../src/inspect/types.ts";
import { addressRecord, dnsAnswer, dnsMessage, dnsQuery, ednsRecord } from "../../support/dns.ts";
import { swap, TO_SERVER, tracking } from "../../support/lookups.ts";

const A = 1;
const AAAA = 28;
const ADDRESS = addressRecord("example.com", "192.0.2.1");
const QUERY = dnsQuery("example.com");
const ANSWER = dnsAnswer("example.com", [ADDRESS]);

test("a question and its answer are one lookup", () => {
  const { tracker, lookups, observe } = tracking();
  observe(QUERY, 1000);
  expect([tracker.size, lookups]).toEqual([1, []]);
  observe(ANSWER, 1012);
  expect(lookups).toEqual([
    {
      timeMs: 1000,
      interface: "eth0",
      transport: "udp",
      client: "10.0.0.2",
      clientPort: 40000,
      server: "10.0.0.1",
      serverPort: 53,
      name: "example.com",
      type: "A",
      rcode: "NOERROR",
      latencyMs: 12,
      answers: ["192.0.2.1"],
      truncated: false,
    },
  ]);
  expect([tracker.size, tracker.unanswered]).toEqual([0, 0]);
});

test("the case of a name does not matter, as resolvers mix it", () => {
  const { lookups, observe } = tracking();
  observe(dnsQuery("eXaMpLe.CoM"), 0);
  observe(ANSWER, 5);
  expect(lookups).toMatchObject([{ name: "example.com", latencyMs: 5 }]);
});

test.each<[string, Uint8Array, Ends, DnsTransport]>([
  ["id", dnsAnswer("example.com", [ADDRESS], A, 8), swap(TO_SERVER), "udp"],
  ["name", dnsAnswer("example.org", [ADDRESS]), swap(TO_SERVER), "udp"],
  ["type", dnsAnswer("example.com", [], AAAA), swap(TO_SERVER), "udp"],
  ["server", ANSWER, { ...swap(TO_SERVER), source: "10.0.0.9" }, "udp"],
  ["server port", ANSWER, { ...swap(TO_SERVER), sourcePort: 54 }, "udp"],
  ["client", ANSWER, { ...swap(TO_SERVER), destination: "10.0.0.3" }, "udp"],
  ["client port", ANSWER, { ...swap(TO_SERVER), destinationPort: 40001 }, "udp"],
  ["interface", ANSWER, { ...swap(TO_SERVER), interface: "eth1" }, "udp"],
  ["transport", ANSWER, swap(TO_SERVER), "tcp"],
])("an answer with another %s is not that of the question", (_, answer, ends, transport) => {
  const { tracker, lookups, observe } = tracking();
  observe(QUERY, 0);
  observe(answer, 1, ends, transport);
  expect(tracker.size).toBe(1);
  expect(lookups).toMatchObject([{ latencyMs: null, timeMs: 1, rcode: "NOERROR" }]);
});

test("an answer without a question seen is a lookup of the one it goes to", () => {
  const { lookups, observe } = tracking();
  observe(ANSWER, 50);
  expect(lookups).toMatchObject([
    {
      timeMs: 50,
      client: "10.0.0.2",
      clientPort: 40000,
      server: "10.0.0.1",
      serverPort: 53,
      latencyMs: null,
    },
  ]);
});

test("a question that is repeated is one lookup, as late as its last repetition", () => {
  const { tracker, lookups, observe } = tracking();
  observe(QUERY, 0);
  observe(QUERY, 4000);
  tracker.expire(8999);
  observe(ANSWER, 8999);
  expect(lookups).toMatchObject([{ timeMs: 0, latencyMs: 4999 }]);
});

test("an answer that is repeated is no second lookup, until the question is asked again", () => {
  const { tracker, lookups, observe } = tracking();
  observe(QUERY, 0);
  observe(ANSWER, 1);
  observe(ANSWER, 2);
  expect(lookups).toHaveLength(1);
  observe(QUERY, 3);
  observe(ANSWER, 4);
  expect(lookups).toHaveLength(2);
  tracker.expire(5004);
  observe(ANSWER, 5005);
  expect(lookups).toHaveLength(3);
});

test("each question of a message is a lookup, the same one twice is not", () => {
  const { lookups, observe } = tracking();
  const questions = [A, AAAA, A].map((type) => ({ name: "example.com", type }));
  observe(dnsMessage({ id: 7, questions }), 0);
  observe(dnsMessage({ id: 7, flags: 0x8183, questions }), 9);
  expect(lookups).toMatchObject([
    { type: "A", rcode: "NXDOMAIN", latencyMs: 9 },
    { type: "AAAA", rcode: "NXDOMAIN", latencyMs: 9 },
  ]);
});

test("a question without an answer is given out after the timeout, and counted", () => {
  const { tracker, lookups, observe } = tracking({ timeoutMs: 100 });
  observe(QUERY, 0);
  observe(dnsQuery("example.org"), 50);
  tracker.expire(99);
  expect(lookups).toEqual([]);
  tracker.expire(100);
  expect(lookups).toMatchObject([{ name: "example.com", rcode: null, latencyMs: null, answers: [] }]);
  expect([tracker.unanswered, tracker.size]).toEqual([1, 1]);
});

test("an end of the file gives out everything, and counts what was due", () => {
  const { tracker, lookups, observe } = tracking();
  observe(QUERY, 0);
  observe(dnsQuery("example.org"), 4000);
  observe(ANSWER.subarray(0, 40), 4900, { ...swap(TO_SERVER), destinationPort: 1 }, "udp", true);
  tracker.flush(5000);
  expect(lookups.map(({ name, rcode }) => [name, rcode])).toEqual([
    ["example.com", null],
    ["example.org", null],
    ["example.com", "NOERROR"],
  ]);
  expect([tracker.unanswered, tracker.size]).toEqual([1, 0]);
});

test("past the capacity the question asked longest ago is given up", () => {
  const { tracker, lookups, observe } = tracking({ capacity: 2 });
  observe(dnsQuery("one.example"), 0);
  observe(dnsQuery("two.example"), 1);
  observe(dnsQuery("one.example"), 2);
  observe(dnsQuery("three.example"), 3);
  expect(lookups).toMatchObject([{ name: "two.example", rcode: null }]);
  expect([tracker.size, tracker.evicted, tracker.unanswered]).toEqual([2, 1, 0]);
});

test("a bare header answers the only question that has its id", () => {
  const { lookups, observe } = tracking();
  observe(dnsQuery("example.com", A, 1), 0);
  observe(dnsQuery("example.org", A, 2), 0);
  observe(dnsMessage({ id: 2, flags: 0x8181 }), 3);
  expect(lookups).toMatchObject([{ name: "example.org", rcode: "FORMERR", latencyMs: 3 }]);
});

test("a bare header answers nothing when two questions have its id", () => {
  const { tracker, lookups, observe } = tracking();
  observe(dnsQuery("example.com", A, 0), 0);
  observe(dnsQuery("example.com", AAAA, 0), 0);
  observe(dnsMessage({ id: 0, flags: 0x8181 }), 3);
  expect([tracker.size, lookups]).toEqual([2, []]);
});

test("the code of EDNS and the cut by the server are told", () => {
  const { lookups, observe } = tracking();
  const questions = [{ name: "example.com", type: A }];
  observe(dnsMessage({ id: 7, flags: 0x8380, questions, additionals: [ednsRecord(1)] }), 0);
  expect(lookups).toMatchObject([{ rcode: "BADVERS", truncated: true }]);
});

test("a bounded number of answers is kept", () => {
  const { lookups, observe } = tracking();
  observe(dnsAnswer("example.com", Array(20).fill(ADDRESS)), 0);
  expect(lookups[0]?.answers).toHaveLength(16);
});

test("an answer that was cut waits for the whole one", () => {
  const { tracker, lookups, observe } = tracking();
  observe(QUERY, 0);
  observe(ANSWER.subarray(0, 40), 10, swap(TO_SERVER), "udp", true);
  expect([tracker.size, lookups]).toEqual([0, []]);
  observe(ANSWER, 11);
  observe(ANSWER.subarray(0, 40), 12, swap(TO_SERVER), "udp", true);
  tracker.flush(99_999);
  expect(lookups).toMatchObject([{ latencyMs: 10, answers: ["192.0.2.1"], truncated: false }]);
});

test("an answer that was cut stands for itself after a second", () => {
  const { tracker, lookups, observe } = tracking();
  const two = dnsAnswer("example.com", [ADDRESS, addressRecord("example.com", "192.0.2.2")]);
  observe(QUERY, 0);
  observe(two.subarray(0, 40), 10, swap(TO_SERVER), "udp", true);
  observe(two.subarray(0, -1), 20, swap(TO_SERVER), "udp", true);
  observe(two.subarray(0, 40), 30, swap(TO_SERVER), "udp", true);
  tracker.expire(1009);
  expect(lookups).toEqual([]);
  tracker.expire(1010);
  observe(ANSWER, 1011);
  expect(lookups).toMatchObject([{ latencyMs: 10, answers: ["192.0.2.1"], truncated: true }]);
});

test("a damaged answer is no cut one", () => {
  const { tracker, lookups, observe } = tracking();
  observe(ANSWER.subarray(0, -1), 0);
  tracker.expire(1000);
  expect(lookups).toMatchObject([{ rcode: "NOERROR", answers: [], truncated: false }]);
});

test("a bounded number of answers waits", () => {
  const { lookups, observe } = tracking();
  for (let port = 1; port <= 300; port++) {
    observe(ANSWER.subarray(0, 40), 0, { ...swap(TO_SERVER), destinationPort: port }, "udp", true);
  }
  expect(lookups).toHaveLength(300 - 256);
});

test("notifications and updates are lookups of their zone", () => {
  const { lookups, observe } = tracking();
  for (const opcode of [4, 5]) {
    const questions = [{ name: "example.com", type: 6 }];
    observe(dnsMessage({ id: opcode, flags: opcode << 11, questions }), 0);
    observe(dnsMessage({ id: opcode, flags: 0x8000 | (opcode << 11), questions }), opcode);
  }
  expect(lookups).toMatchObject([
    { name: "example.com", type: "SOA", latencyMs: 4 },
    { name: "example.com", type: "SOA", latencyMs: 5 },
  ]);
});

test("a clock that was put back makes no negative latency", () => {
  const { lookups, observe } = tracking();
  observe(QUERY, 1000);
  observe(ANSWER, 900);
  expect(lookups).toMatchObject([{ latencyMs: 0 }]);
});
