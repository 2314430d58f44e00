import { AddressNames } from "../../src/inspect/address-names.ts";
import { LookupTracker } from "../../src/inspect/dns-lookups.ts";
import { parseDns, type DnsMessage } from "../../src/inspect/dns-message.ts";
import { MAX_DATA } from "../../src/inspect/dns-records.ts";
import { nextMessage } from "../../src/inspect/dns-stream.ts";
import type { DnsTransport, Ends, Lookup } from "../../src/inspect/types.ts";
import { concat, fields, pattern } from "../support/bytes.ts";
import {
  addressRecord,
  dnsAnswer,
  dnsMessage,
  dnsQuery,
  ednsRecord,
  label,
  nameRecord,
  type Record,
  wireName,
} from "../support/dns.ts";
import { must, mustBeShown, mustFit } from "./invariants.ts";
import { mutated } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";

const MAX_QUESTIONS = 64;
const MAX_RECORDS = 256;
const MAX_ANSWERS = 16;
const CAPACITY = 512;
const HEADER = 12;
const TRANSPORTS: readonly DnsTransport[] = ["udp", "udp", "tcp", "mdns", "llmnr"];

const data = (name: string, type: number, ...parts: (Uint8Array | string)[]): Record => ({
  name,
  type,
  data: parts,
});
const SERVICE = concat(
  fields([1, 2], [3, 2]),
  label("h2"),
  fields([3, 2], [2, 2], [8443, 2], [4, 2], [8, 2], [0x01020304, 4], [0x05060708, 4]),
);
const ANSWERS = [
  nameRecord("www.example.com", 5, "edge.cdn.example"),
  addressRecord("edge.cdn.example", "192.0.2.1"),
  addressRecord("edge.cdn.example", "2001:db8::1", 0x80000000),
  data("example.com", 15, fields([10, 2]), "mx.example.com"),
  data("_sip._udp.example.com", 33, fields([1, 2], [2, 2], [5060, 2]), "sip.example.com"),
  data(
    "example.com",
    6,
    "ns.example.com",
    "root.example.com",
    fields([1, 4], [2, 4], [3, 4], [4, 4], [5, 4]),
  ),
  data("example.com", 16, label("v=spf1 -all"), label(pattern(200))),
  data("example.com", 257, fields([0, 1]), label("issue"), new TextEncoder().encode("ca.example")),
  data("example.com", 65, fields([1, 2]), ".", SERVICE),
  data("example.com", 64, fields([0, 2]), "other.example.com"),
  nameRecord("example.com", 39, "example.net"),
  data("example.com", 48, pattern(64)),
];
const MESSAGES = [
  dnsQuery("www.example.com"),
  dnsAnswer("www.example.com", ANSWERS.slice(0, 3)),
  dnsAnswer("example.com", ANSWERS.slice(3), 255),
  ...ANSWERS.map((record) => dnsAnswer(record.name, [record], record.type)),
  dnsMessage({
    id: 7,
    flags: 0x8183,
    questions: [{ name: "no.example", type: 28 }],
    additionals: [ednsRecord(1)],
  }),
  dnsMessage({ id: 7, flags: 0x8182 }),
  dnsMessage({ flags: 0x8400, answers: [addressRecord("printer.local", "192.0.2.9", 120)] }),
  dnsMessage({ flags: 0, questions: [{ name: "printer.local", type: 1, class: 0x8001 }] }),
  dnsMessage({ id: 7, flags: 0x8380, questions: [{ name: "cut.example", type: 1 }] }),
  concat(
    fields([7, 2], [0x0100, 2], [1, 2], [0, 2], [0, 4]),
    label(pattern(60)),
    wireName("x"),
    fields([1, 2], [1, 2]),
  ),
];
const framed = (message: Uint8Array) => concat(fields([message.length, 2]), message);
const STREAMS = [
  ...MESSAGES.map(framed),
  concat(...MESSAGES.slice(0, 4).map(framed)),
  concat(framed(dnsQuery("one.example")), framed(dnsQuery("two.example"))),
];

function mustBeMessage(message: DnsMessage): void {
  must(
    message.questions.length <= MAX_QUESTIONS && message.answers.length <= MAX_RECORDS,
    "a bounded message",
  );
  for (const { name } of message.questions) mustBeShown(name);
  for (const { name, data: text, target, address, hints } of message.answers) {
    mustBeShown(name);
    mustBeShown(target);
    mustBeShown(text, MAX_DATA);
    for (const one of [...(address === null ? [] : [address]), ...hints]) {
      must(one.length === 4 || one.length === 16, "an address");
    }
  }
}

function mustBeLookup({ name, type, rcode, answers }: Lookup): void {
  mustBeShown(name);
  mustBeShown(type);
  mustBeShown(rcode);
  must(answers.length <= MAX_ANSWERS, "few answers");
  for (const answer of answers) mustBeShown(answer, MAX_DATA);
}

function randomEnds(random: Random): Ends {
  const port = random.pick([53, 5353, 40_000 + random.below(4)]);
  return {
    interface: random.pick(["eth0", "wlan0"]),
    source: `10.0.0.${random.below(4)}`,
    sourcePort: port,
    destination: `10.0.0.${random.below(4)}`,
    destinationPort: random.pick([53, 5353, 40_000]),
  };
}

const tracker = new LookupTracker({ onLookup: mustBeLookup, capacity: CAPACITY });
const names = new AddressNames(CAPACITY);
let clockMs = 0;

/** One life for all inputs: it must stay small. */
function take(message: DnsMessage, random: Random): void {
  clockMs += random.below(random.pick([2, 100, 3000]));
  const ends = randomEnds(random);
  tracker.observe(message, ends, random.pick(TRANSPORTS), clockMs);
  names.learn(ends.interface, message, clockMs);
  if (random.oneIn(8)) tracker.expire(clockMs);
  if (random.oneIn(4096)) tracker.flush(clockMs);
  must(tracker.size <= CAPACITY && names.size <= CAPACITY, "bounded tables");
  const address = message.answers.find((record) => record.address !== null)?.address;
  if (address != null) mustBeShown(names.find(ends.interface, address, clockMs));
}

export const DNS_TARGETS: readonly Target[] = [
  {
    name: "dns",
    make: (random) => [mutated(random, MESSAGES)],
    check([bytes = new Uint8Array()], random) {
      const isCut = random.oneIn(3);
      const message = parseDns(bytes, { strict: false, isCut });
      const strict = parseDns(bytes, { strict: true, isCut });
      must((message === null) === bytes.length < HEADER, "a message for every header");
      must(strict === null || Bun.deepEquals(strict, message), "the same message, strictly or not");
      if (message === null) return;
      mustBeMessage(message);
      take(message, random);
    },
  },
  {
    name: "dns-stream",
    make: (random) => [mutated(random, STREAMS)],
    check([stream = new Uint8Array()]) {
      for (let at = 0, reading = nextMessage(stream); reading.state === "found"; ) {
        mustFit(reading, stream.length - at);
        must(reading.value.length === reading.used - 2, "all of the message");
        const message = parseDns(reading.value, { strict: false, isCut: false });
        must(message !== null && (mustBeMessage(message), true), "a message in each frame");
        at += reading.used;
        reading = nextMessage(stream.subarray(at));
      }
    },
  },
];
