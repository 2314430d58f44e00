import { expect, test } from "bun:test";
import { Identities } from "../../../src/history/identities.ts";
import { emptyRow, RowQueue } from "../../../src/history/queue.ts";
import { DIRECTION_EGRESS, KIND_PACKET } from "../../../src/history/schema.ts";
import type { RowValues } from "../../../src/history/types.ts";
import { connection, row, START_MS } from "./fixture.ts";

/** Rows of one chunk, and of more than the queue can hold at a time. */
const CHUNK = 2048;
const CAPACITY = 10_000;

function queueOfOne(capacity: number) {
  const identities = new Identities();
  const queue = new RowQueue(capacity, identities);
  const identity = identities.open(connection(1), 4);
  const push = (bytesSent: number) => queue.push(identity, row(connection(1), { bytesSent }));
  const read = (index: number) => {
    const into = emptyRow();
    queue.read(index, into);
    return into;
  };
  return { identities, queue, identity, push, read };
}

test("a queue keeps its order and its bound", () => {
  const { queue, push, read } = queueOfOne(3);
  expect([push(1), push(2), push(3), push(4)]).toEqual([true, true, true, false]);
  queue.drop(2);
  expect([push(5), push(6), push(7)]).toEqual([true, true, false]);
  expect([0, 1, 2].map((index) => read(index).bytesSent)).toEqual([3, 5, 6]);
  queue.drop(3);
  expect(queue.length).toBe(0);
});

test("a row is read as it was queued", () => {
  const { queue, identity, read } = queueOfOne(10);
  const packet: RowValues = {
    timestampMs: START_MS + 0.125,
    kind: "packet",
    direction: "egress",
    packetsSent: 2 ** 40,
    bytesSent: 2 ** 52 + 1,
    packetsReceived: 3,
    bytesReceived: 4,
    tcpFlags: 0x1ff,
    rttNs: 2 ** 33,
    retransmits: 2 ** 32,
  };
  queue.push(identity, packet);
  queue.push(identity, { ...packet, kind: "window", direction: "ingress", rttNs: null });
  queue.push(identity, { ...packet, rttNs: 0, bytesSent: Number.NaN });
  expect(read(0)).toEqual({ ...packet, identity, kind: KIND_PACKET, direction: DIRECTION_EGRESS });
  expect(read(1)).toMatchObject({ kind: 0, direction: 0, rttNs: null });
  expect(read(2)).toMatchObject({ rttNs: 0, bytesSent: Number.NaN });
});

test("rows stay in order over many turns of the circle", () => {
  const { queue, push, read } = queueOfOne(CAPACITY);
  let pushed = 0;
  let dropped = 0;
  for (let turn = 0; turn < 50; turn++) {
    while (push(pushed)) pushed++;
    expect(queue.length).toBe(CAPACITY);
    const first = (turn * 997) % CAPACITY;
    for (const index of [0, first, CAPACITY - 1]) expect(read(index).bytesSent).toBe(dropped + index);
    queue.drop(first);
    dropped += first;
  }
});

test("memory comes with the rows and goes once they have been few again", () => {
  const { queue, push } = queueOfOne(CAPACITY);
  expect(queue.bytes).toBe(0);
  push(0);
  const one = queue.bytes;
  for (let index = 1; index < CAPACITY; index++) push(index);
  expect(queue.bytes).toBe(one * Math.ceil(CAPACITY / CHUNK));
  queue.drop(CAPACITY);
  push(0);
  queue.drop(1);
  push(0);
  queue.drop(1);
  expect(queue.bytes).toBeLessThanOrEqual(2 * one);
});

test("an identity is kept until its last row has left", () => {
  const { identities, queue, identity, push } = queueOfOne(10);
  for (let index = 0; index < 3; index++) push(index);
  identities.release(identity);
  const other = identities.open(connection(2), 4);
  expect(other).not.toBe(identity);
  queue.drop(2);
  expect(identities.size).toBe(2);
  expect(identities.describe(identity).client).toEqual(connection(1).client);
  queue.drop(1);
  expect(identities.size).toBe(1);
  expect(identities.open(connection(3), 4)).toBe(identity);
});
