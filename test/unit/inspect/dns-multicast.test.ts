import { expect, test } from "bun:test";
import type { Ends } from "../../../src/inspect/types.ts";
import { addressRecord, dnsAnswer, dnsMessage, dnsQuery, nameRecord } from "../../support/dns.ts";
import { swap, TO_SERVER, tracking } from "../../support/lookups.ts";

const A = 1;
const AAAA = 28;
const ANY = 255;

test("LLMNR is answered by whoever has the name", () => {
  const { tracker, lookups, observe } = tracking();
  const query = { ...TO_SERVER, destination: "224.0.0.252", destinationPort: 5355 };
  const answer = dnsAnswer("printer", [addressRecord("printer", "10.0.0.7")]);
  observe(dnsQuery("printer"), 0, query, "llmnr");
  observe(answer, 2, { ...swap(query), source: "10.0.0.7" }, "llmnr");
  observe(answer, 3, { ...swap(query), source: "10.0.0.8" }, "llmnr");
  expect(lookups).toMatchObject([
    { server: "224.0.0.252", name: "printer", latencyMs: 2, answers: ["10.0.0.7"] },
  ]);
  observe(dnsQuery("nobody"), 4, query, "llmnr");
  tracker.expire(5004);
  expect(lookups.at(-1)).toMatchObject({ name: "nobody", rcode: null });
  expect(tracker.unanswered).toBe(0);
});

const GROUP: Ends = {
  interface: "eth0",
  source: "10.0.0.2",
  sourcePort: 5353,
  destination: "224.0.0.251",
  destinationPort: 5353,
};
const RESPONDER: Ends = { ...GROUP, source: "10.0.0.7" };

/** An unsolicited response (RFC 6762 section 6). */
const response = (...answers: Parameters<typeof dnsAnswer>[1]) => dnsMessage({ flags: 0x8400, answers });

test("a multicast response answers everybody who asked for its records", () => {
  const { tracker, lookups, observe } = tracking();
  observe(dnsQuery("tv.local", A, 0), 0, GROUP, "mdns");
  observe(dnsQuery("tv.local", ANY, 0), 1, { ...GROUP, source: "10.0.0.3" }, "mdns");
  observe(dnsQuery("tv.local", AAAA, 0), 2, GROUP, "mdns");
  observe(dnsQuery("tv.local", A, 0), 3, { ...GROUP, interface: "eth1" }, "mdns");
  const bytes = response(
    addressRecord("tv.local", "10.0.0.7"),
    nameRecord("tv.local", 12, "other.local"),
    addressRecord("radio.local", "10.0.0.8"),
  );
  observe(bytes, 10, RESPONDER, "mdns");
  observe(bytes, 11, RESPONDER, "mdns");
  expect(lookups).toMatchObject([
    { client: "10.0.0.2", server: "224.0.0.251", type: "A", latencyMs: 10, answers: ["10.0.0.7"] },
    { client: "10.0.0.3", type: "ANY", latencyMs: 9, answers: ["10.0.0.7", "other.local"] },
  ]);
  expect(tracker.size).toBe(2);
});

test("multicast responses make no lookups by themselves, even with questions in them", () => {
  const { tracker, lookups, observe } = tracking();
  const records = [addressRecord("tv.local", "10.0.0.7")];
  observe(response(...records), 0, RESPONDER, "mdns");
  observe(dnsAnswer("tv.local", records, A, 0), 1, RESPONDER, "mdns");
  tracker.flush(9999);
  expect(lookups).toEqual([]);
});

test("silence to a multicast question is a lookup and no failure", () => {
  const { tracker, lookups, observe } = tracking();
  observe(dnsQuery("nobody.local", A, 0), 0, GROUP, "mdns");
  tracker.expire(5000);
  expect(lookups).toMatchObject([{ transport: "mdns", name: "nobody.local", rcode: null }]);
  expect(tracker.unanswered).toBe(0);
});

test("a client of plain DNS gets its multicast answer once", () => {
  const { lookups, observe } = tracking();
  const legacy = { ...GROUP, sourcePort: 50000 };
  const answer = dnsAnswer("tv.local", [addressRecord("tv.local", "10.0.0.7")], A, 9);
  observe(dnsQuery("tv.local", A, 9), 0, legacy, "mdns");
  observe(answer, 4, { ...swap(legacy), source: "10.0.0.7" }, "mdns");
  observe(answer, 5, { ...swap(legacy), source: "10.0.0.7", destination: "10.0.0.4" }, "mdns");
  expect(lookups).toMatchObject([
    { client: "10.0.0.2", latencyMs: 4 },
    { client: "10.0.0.4", latencyMs: null },
  ]);
});
