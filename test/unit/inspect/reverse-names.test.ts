import { describe, expect, test } from "bun:test";
import { ReverseNames, type ReverseNamesOptions } from "../../../src/inspect/reverse-names.ts";
import { addressBytes } from "../../support/bytes.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A resolver that answers when it is told to, and a clock that stands still until then. */
function stage(options: Partial<ReverseNamesOptions> = {}) {
  const asked: string[] = [];
  const pending = new Map<string, PromiseWithResolvers<string[]>>();
  const found: string[] = [];
  const clock = { ms: 5 };
  const names = new ReverseNames({
    resolve: (address) => {
      asked.push(address);
      const answer = Promise.withResolvers<string[]>();
      pending.set(address, answer);
      return answer.promise;
    },
    now: () => clock.ms,
    ...options,
  });
  const request = (address: string) =>
    names.request(addressBytes(address), (name) => found.push(`${address} ${name}`));
  const tick = (afterMs = 0) => {
    clock.ms += afterMs;
    names.tick();
  };
  const answer = async (address: string, ...records: string[]) => {
    pending.get(address)?.resolve(records);
    await Bun.sleep(0);
  };
  const fail = async (address: string, code: string) => {
    pending.get(address)?.reject(Object.assign(new Error(code), { code }));
    await Bun.sleep(0);
  };
  /** Requests the name of an address and answers the query. */
  const learn = async (address: string, ...records: string[]) => {
    request(address);
    tick();
    await answer(address, ...records);
  };
  return { names, asked, found, clock, request, tick, answer, fail, learn };
}

/** `count` addresses of 10.0.0.0/16. */
const addresses = (count: number) =>
  Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 0xff}`);

describe("a request", () => {
  test("is answered when the name comes", async () => {
    const { names, asked, found, request, tick, answer } = stage();
    request("192.0.2.7");
    expect(asked).toEqual([]);
    tick();
    expect([asked, found]).toEqual([["192.0.2.7"], []]);
    await answer("192.0.2.7", "Seven.Example.", "other.example");
    expect(found).toEqual(["192.0.2.7 seven.example"]);
    expect(names.counts).toEqual({ found: 1, none: 0, failed: 0, limited: 0 });
  });

  test("shares the query of those before it, queued or in flight", async () => {
    const { names, asked, found, request, tick, answer } = stage();
    request("2001:db8::7");
    request("2001:db8::7");
    tick();
    request("2001:db8::7");
    tick(1000);
    await answer("2001:db8::7", "seven.example");
    expect(asked).toEqual(["2001:db8::7"]);
    expect(found).toEqual(Array.from({ length: 3 }, () => "2001:db8::7 seven.example"));
    expect(names.counts.found).toBe(1);
  });

  test.each([
    "0.0.0.0",
    "127.0.0.1",
    "127.255.0.9",
    "224.0.0.251",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "ff02::fb",
  ])("for %s asks nobody", (address) => {
    const { names, asked, request, tick } = stage();
    request(address);
    tick();
    expect(asked).toEqual([]);
    expect(names.counts).toEqual({ found: 0, none: 0, failed: 0, limited: 0 });
  });
});

describe("an answer", () => {
  test("is remembered for an hour and then asked for again", async () => {
    const { asked, found, clock, request, tick, learn } = stage();
    await learn("192.0.2.7", "seven.example");
    clock.ms += HOUR - 1;
    request("192.0.2.7");
    expect(found).toHaveLength(2);
    clock.ms++;
    request("192.0.2.7");
    tick();
    expect(found).toHaveLength(2);
    expect(asked).toEqual(["192.0.2.7", "192.0.2.7"]);
  });

  test.each([
    ["ENOTFOUND", HOUR, "none"],
    ["NXDOMAIN", HOUR, "none"],
    ["ENODATA", HOUR, "none"],
    ["ESERVFAIL", 5 * MINUTE, "failed"],
    ["EREFUSED", 5 * MINUTE, "failed"],
    ["ETIMEOUT", 5 * MINUTE, "failed"],
  ])("of %s is remembered for %p ms and counts as %s", async (code, lifeMs, kind) => {
    const { names, asked, found, request, tick, fail } = stage();
    request("192.0.2.7");
    tick();
    await fail("192.0.2.7", code);
    expect(names.counts).toEqual({ found: 0, none: 0, failed: 0, limited: 0, [kind]: 1 });
    tick(lifeMs - 1);
    request("192.0.2.7");
    tick();
    expect(asked).toHaveLength(1);
    tick(1);
    request("192.0.2.7");
    tick();
    expect(asked).toHaveLength(2);
    expect(found).toEqual([]);
  });

  test("without a record, or whose first one names no host, is none", async () => {
    const { names, found, learn } = stage();
    await learn("192.0.2.1");
    await learn("192.0.2.2", "", "second.example");
    await learn("192.0.2.3", "3.2.0.192.in-addr.arpa", "second.example");
    expect(found).toEqual([]);
    expect(names.counts).toEqual({ found: 0, none: 3, failed: 0, limited: 0 });
  });

  test("is forgotten first when its address was requested least recently", async () => {
    const { found, request, learn } = stage({ capacity: 2 });
    await learn("192.0.2.1", "one.example");
    await learn("192.0.2.2", "two.example");
    request("192.0.2.1");
    await learn("192.0.2.3", "three.example");
    found.length = 0;
    for (const address of ["192.0.2.2", "192.0.2.1", "192.0.2.3"]) request(address);
    expect(found).toEqual(["192.0.2.1 one.example", "192.0.2.3 three.example"]);
  });

  test("of a resolver that throws counts as failed", async () => {
    const { names, request, tick } = stage({
      resolve: () => {
        throw new RangeError("no");
      },
    });
    request("192.0.2.7");
    tick();
    await Bun.sleep(0);
    expect(names.counts.failed).toBe(1);
  });
});

describe("limits", () => {
  test("no more queries than allowed are in flight, and the next starts when one ends", async () => {
    const { asked, request, tick, answer } = stage({ maxInFlight: 2 });
    for (const address of addresses(4)) request(address);
    tick();
    expect(asked).toEqual(["10.0.0.0", "10.0.0.1"]);
    tick(1000);
    expect(asked).toHaveLength(2);
    await answer("10.0.0.1", "one.example");
    expect(asked).toEqual(["10.0.0.0", "10.0.0.1", "10.0.0.2"]);
  });

  test("queries start at the rate, and after a pause no more than a second's worth at once", async () => {
    const asked: string[] = [];
    const { request, tick } = stage({
      resolve: async (address) => {
        asked.push(address);
        return [];
      },
    });
    const startedAfter = async (ms: number) => {
      const before = asked.length;
      tick(ms);
      await Bun.sleep(1);
      return asked.length - before;
    };
    for (const address of addresses(100)) request(address);
    expect(await startedAfter(0)).toBe(20);
    expect(await startedAfter(0)).toBe(0);
    expect(await startedAfter(49)).toBe(0);
    expect(await startedAfter(1)).toBe(1);
    expect(await startedAfter(1000)).toBe(20);
    expect(await startedAfter(60_000)).toBe(20);
    expect(asked).toEqual(addresses(61));
  });

  test("a query that takes too long fails and frees its place; its late answer is ignored", async () => {
    const { names, asked, found, request, tick, answer } = stage({ maxInFlight: 1 });
    request("192.0.2.1");
    request("192.0.2.2");
    tick();
    tick(4999);
    expect(asked).toEqual(["192.0.2.1"]);
    tick(1);
    expect(asked).toEqual(["192.0.2.1", "192.0.2.2"]);
    await answer("192.0.2.1", "late.example");
    request("192.0.2.1");
    expect(found).toEqual([]);
    expect(names.counts).toEqual({ found: 0, none: 0, failed: 1, limited: 0 });
    await answer("192.0.2.2", "two.example");
    expect(found).toEqual(["192.0.2.2 two.example"]);
  });

  test("addresses beyond the queue are dropped and counted; those in it may have more waiters", () => {
    const { names, asked, request, tick } = stage({ perSecond: 10_000, maxInFlight: 10_000 });
    const all = addresses(2050);
    for (const address of all) request(address);
    request("10.0.0.0");
    expect(names.counts.limited).toBe(2);
    tick();
    expect(asked).toEqual(all.slice(0, 2048));
  });

  test("requests beyond 16384 are dropped and counted until some are answered", async () => {
    const { names, found, request, tick, answer } = stage();
    for (let count = 0; count < 16_385; count++) request("192.0.2.1");
    request("192.0.2.2");
    expect(names.counts.limited).toBe(2);
    tick();
    await answer("192.0.2.1", "one.example");
    expect(found).toHaveLength(16_384);
    request("192.0.2.2");
    expect(names.counts.limited).toBe(2);
  });
});
