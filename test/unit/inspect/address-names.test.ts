import { expect, test } from "bun:test";
import { AddressNames } from "../../../src/inspect/address-names.ts";
import { parseDns } from "../../../src/inspect/dns-message.ts";
import { addressBytes, concat, fields } from "../../support/bytes.ts";
import {
  addressRecord,
  dnsAnswer,
  dnsMessage,
  nameRecord,
  wireName,
  type Record,
} from "../../support/dns.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const CNAME = 5;
const DNAME = 39;
const HTTPS = 65;

function learned(names: AddressNames, bytes: Uint8Array, nowMs = 0, interfaceName = "eth0"): AddressNames {
  const message = parseDns(bytes, { strict: false, isCut: false });
  if (message === null) throw new Error("not DNS");
  names.learn(interfaceName, message, nowMs);
  return names;
}

const find = (names: AddressNames, address: string, nowMs = 0, interfaceName = "eth0") =>
  names.find(interfaceName, addressBytes(address), nowMs);

function learn(name: string, records: readonly Record[], type = 1): AddressNames {
  return learned(new AddressNames(), dnsAnswer(name, records, type));
}

/** A service record with one IPv4 hint (RFC 9460 section 7.3). */
function service(name: string, address: string): Record {
  const parameter = concat(fields([4, 2], [4, 2]), addressBytes(address));
  return { name, type: HTTPS, data: [fields([1, 2]), wireName("."), parameter] };
}

function alias(name: string, target: string): Record {
  return { name, type: HTTPS, data: [fields([0, 2]), wireName(target)] };
}

test.each(["192.0.2.1", "0.0.0.2", "2001:db8::1", "::2", "fe80::1"])(
  "%s gets the name asked for",
  (address) => {
    const names = learn("www.example.com", [addressRecord("www.example.com", address)]);
    expect(find(names, address)).toBe("www.example.com");
    expect(names.size).toBe(1);
  },
);

test("an address is known on its interface alone", () => {
  const names = learned(
    new AddressNames(),
    dnsAnswer("a.example", [addressRecord("a.example", "192.0.2.1")]),
  );
  learned(names, dnsAnswer("b.example", [addressRecord("b.example", "192.0.2.1")]), 0, "eth1");
  expect(find(names, "192.0.2.1")).toBe("a.example");
  expect(find(names, "192.0.2.1", 0, "eth1")).toBe("b.example");
  expect(find(names, "192.0.2.1", 0, "eth2")).toBeNull();
  expect(find(names, "192.0.2.2")).toBeNull();
});

test("an IPv4 address and the IPv6 addresses around it are apart", () => {
  const names = learn("four.example", [addressRecord("four.example", "192.0.2.1")]);
  expect(find(names, "::ffff:192.0.2.1")).toBeNull();
  expect(find(names, "c000:201::")).toBeNull();
});

test("aliases lead back to the name asked for, in any order", () => {
  const records = [
    addressRecord("edge.cdn.example", "192.0.2.1"),
    nameRecord("shop.cdn.example", CNAME, "edge.cdn.example"),
    nameRecord("www.shop.example", CNAME, "shop.cdn.example"),
  ];
  expect(find(learn("www.shop.example", records), "192.0.2.1")).toBe("www.shop.example");
});

test("a renamed tree leads back to the name asked for, with and without the alias made of it", () => {
  const tree = nameRecord("old.example", DNAME, "new.example");
  const address = addressRecord("www.new.example", "192.0.2.1");
  const made = nameRecord("www.old.example", CNAME, "www.new.example");
  expect(find(learn("www.old.example", [tree, made, address]), "192.0.2.1")).toBe("www.old.example");
  expect(find(learn("www.old.example", [tree, address]), "192.0.2.1")).toBe("www.old.example");
  expect(find(learn("wwwold.example", [tree, address]), "192.0.2.1")).toBeNull();
});

test("records that the question does not lead to are left alone", () => {
  const names = learn("evil.example", [
    addressRecord("evil.example", "192.0.2.1"),
    addressRecord("bank.example", "192.0.2.2"),
    nameRecord("bank.example", CNAME, "evil.example"),
    nameRecord("other.example", CNAME, "third.example"),
    addressRecord("third.example", "192.0.2.3"),
  ]);
  expect([find(names, "192.0.2.1"), find(names, "192.0.2.2"), find(names, "192.0.2.3")]).toEqual([
    "evil.example",
    null,
    null,
  ]);
});

test("a loop of aliases ends, and a chain is followed for a bounded length", () => {
  const loop = [nameRecord("a.example", CNAME, "b.example"), nameRecord("b.example", CNAME, "a.example")];
  expect(find(learn("a.example", [...loop, addressRecord("b.example", "192.0.2.1")]), "192.0.2.1")).toBe(
    "a.example",
  );
  const links = Array.from({ length: 40 }, (_, index) => nameRecord(`n${index}`, CNAME, `n${index + 1}`));
  expect(find(learn("n0", [...links, addressRecord("n15", "192.0.2.1")]), "192.0.2.1")).toBe("n0");
  expect(find(learn("n0", [...links, addressRecord("n16", "192.0.2.1")]), "192.0.2.1")).toBeNull();
});

test("the hints of a service are its addresses", () => {
  expect(find(learn("www.example", [service("www.example", "192.0.2.1")], HTTPS), "192.0.2.1")).toBe(
    "www.example",
  );
  const aliased = [alias("www.example", "cdn.example"), service("cdn.example", "192.0.2.1")];
  expect(find(learn("www.example", aliased, HTTPS), "192.0.2.1")).toBe("www.example");
  const named = "_8443._https.www.example";
  expect(find(learn(named, [service(named, "192.0.2.1")], HTTPS), "192.0.2.1")).toBeNull();
});

test("requests and errors teach nothing", () => {
  const answers = [addressRecord("a.example", "192.0.2.1")];
  const questions = [{ name: "a.example", type: 1 }];
  for (const flags of [0x0100, 0x8183, 0x8182]) {
    expect(learned(new AddressNames(), dnsMessage({ flags, questions, answers })).size).toBe(0);
  }
});

test.each(["0.0.0.0", "127.0.0.1", "127.9.9.9", "::", "::1"])("%s says that a name is blocked", (address) => {
  expect(learn("ads.example", [addressRecord("ads.example", address)]).size).toBe(0);
});

test("nothing is the name of the root", () => {
  expect(learn(".", [addressRecord(".", "192.0.2.1")]).size).toBe(0);
});

test("multicast answers name themselves, below .local only", () => {
  const bytes = dnsMessage({
    flags: 0x8400,
    answers: [
      addressRecord("tv.local", "10.0.0.7"),
      addressRecord("gone.local", "10.0.0.8", 0),
      addressRecord("bank.example", "10.0.0.9"),
    ],
  });
  const names = learned(new AddressNames(), bytes);
  expect([find(names, "10.0.0.7"), find(names, "10.0.0.8"), find(names, "10.0.0.9")]).toEqual([
    "tv.local",
    null,
    null,
  ]);
});

test.each([
  [0, MINUTE],
  [59, MINUTE],
  [300, 300_000],
  [7 * 86_400, DAY],
])("a time to live of %p seconds keeps a name for %p ms", (ttl, life) => {
  const names = learn("a.example", [addressRecord("a.example", "192.0.2.1", ttl)]);
  expect(find(names, "192.0.2.1", life - 1)).toBe("a.example");
  expect(find(names, "192.0.2.1", life)).toBeNull();
  expect(names.size).toBe(0);
});

test("the newest answer wins", () => {
  const names = learn("a.example", [addressRecord("a.example", "192.0.2.1")]);
  learned(names, dnsAnswer("b.example", [addressRecord("b.example", "192.0.2.1", 600)]), MINUTE);
  expect(find(names, "192.0.2.1", MINUTE + 599_999)).toBe("b.example");
  expect(names.size).toBe(1);
});

test("past the capacity the least recently used name goes, and is counted while it was good", () => {
  const names = new AddressNames(2);
  const add = (last: number, nowMs: number) =>
    learned(names, dnsAnswer(`n${last}`, [addressRecord(`n${last}`, `192.0.2.${last}`)]), nowMs);
  add(1, 0);
  add(2, 0);
  expect(find(names, "192.0.2.1")).toBe("n1");
  add(3, 0);
  expect([find(names, "192.0.2.1"), find(names, "192.0.2.2"), find(names, "192.0.2.3")]).toEqual([
    "n1",
    null,
    "n3",
  ]);
  expect([names.size, names.evicted]).toEqual([2, 1]);
  add(4, DAY);
  expect([names.size, names.evicted]).toEqual([2, 1]);
});
