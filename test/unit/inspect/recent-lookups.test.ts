import { expect, test } from "bun:test";
import { type LookupQuery, RecentLookups } from "../../../src/inspect/recent-lookups.ts";
import { lookup } from "../../support/recent-lookups.ts";

const names = (recent: RecentLookups, query: Partial<LookupQuery> = {}): string[] =>
  recent.recent({ limit: 1000, ...query }).map(({ name }) => name.replace(".example.org", ""));

test("the newest come first, and the oldest give way", () => {
  const recent = new RecentLookups(3);
  for (let index = 0; index < 5; index++) recent.add(lookup(index));
  expect(names(recent)).toEqual(["host4", "host3", "host2"]);
  expect(recent.size).toBe(3);
  expect(names(recent, { limit: 2 })).toEqual(["host4", "host3"]);
});

test("what was added late, being unanswered, is where its time is", () => {
  const recent = new RecentLookups();
  recent.add(lookup(5));
  recent.add(lookup(2, { rcode: null }));
  recent.add(lookup(7));
  expect(names(recent)).toEqual(["host7", "host5", "host2"]);
});

test("long answers leave room for fewer", () => {
  const recent = new RecentLookups(4096, 1_000_000);
  const answers = Array.from({ length: 100 }, () => "x".repeat(500));
  for (let index = 0; index < 100; index++) recent.add(lookup(index, { answers }));
  expect(recent.size).toBe(Math.floor(1_000_000 / (240 + 24 + "host99.example.org".length + 100 * 524)));
  expect(names(recent)[0]).toBe("host99");
  for (let index = 100; index < 5100; index++) recent.add(lookup(index));
  expect(recent.size).toBe(Math.floor(1_000_000 / (240 + 24 + "host5099.example.org".length)));
  expect(names(recent)[0]).toBe("host5099");
});

test("one lookup that is larger than all the room is not kept", () => {
  const recent = new RecentLookups(10, 1000);
  recent.add(lookup(1));
  recent.add(lookup(2, { answers: ["x".repeat(2000)] }));
  expect(recent.size).toBe(0);
  recent.add(lookup(3));
  expect(names(recent)).toEqual(["host3"]);
});

test.each<[Partial<LookupQuery>, string[]]>([
  [{ name: "host1.example.org" }, ["host1"]],
  [{ name: "*.example.org" }, ["host4", "host3", "host2", "host1"]],
  [{ name: "*.xample.org" }, []],
  [{ type: "AAAA" }, ["host2"]],
  [{ rcode: "NXDOMAIN" }, ["host3"]],
  [{ rcode: null }, ["host4"]],
  [{ ip: "198.51.100.9" }, ["host4"]],
  [{ ip: "192.0.2.53" }, ["host3", "host2", "host1"]],
  [{ ip: "2001:db8::/32" }, ["host3"]],
  [{ ip: "192.0.2.53", type: "AAAA", rcode: "NOERROR" }, ["host2"]],
])("%p finds what it says", (query, expected) => {
  const recent = new RecentLookups();
  recent.add(lookup(1));
  recent.add(lookup(2, { type: "AAAA" }));
  recent.add(lookup(3, { rcode: "NXDOMAIN", client: "2001:db8::7" }));
  recent.add(lookup(4, { rcode: null, server: "198.51.100.9" }));
  expect(names(recent, query)).toEqual(expected);
});
