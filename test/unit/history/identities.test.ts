import { expect, test } from "bun:test";
import { NO_NAMING } from "../../../src/flow/naming.ts";
import { Identities, NOBODY } from "../../../src/history/identities.ts";
import { connection, named } from "./fixture.ts";

function ipv6(last: number): Uint8Array {
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
}

test("an identity is what it was opened with, however many come after it", () => {
  const identities = new Identities();
  const first = connection(7, { naming: named("example.org") });
  const second = connection(8, { client: ipv6(1), server: ipv6(2), interface: "eth1" });
  const one = identities.open(first, 4);
  const two = identities.open(second, 16);
  for (let index = 0; index < 5000; index++) identities.open(connection(100 + index), 4);
  expect(identities.describe(one)).toEqual(first);
  expect(identities.describe(two)).toEqual(second);
  expect([identities.size, new Set([NOBODY, one, two]).size]).toEqual([5002, 3]);
});

test("of an IPv4 address in sixteen bytes the last four count", () => {
  const identities = new Identities();
  const long = (...bytes: number[]) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
  const of = connection(1, { client: long(10, 0, 0, 1), server: long(192, 0, 2, 1) });
  const { client, server } = identities.describe(identities.open(of, 4));
  expect([[...client], [...server]]).toEqual([
    [10, 0, 0, 1],
    [192, 0, 2, 1],
  ]);
});

test("a number that is used again has nothing of the one before", () => {
  const identities = new Identities();
  const old = identities.open(connection(1, { naming: named("example.org") }), 4);
  identities.setConversation(old, 77);
  identities.segment[old] = 5;
  identities.release(old);
  const next = identities.open(connection(2), 4);
  expect(next).toBe(old);
  expect([identities.conversation[next], identities.segment[next]]).toEqual([0, 0]);
  expect(identities.describe(next)).toMatchObject({ clientPort: 40_002, naming: NO_NAMING });
});
