import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { AyaflowError } from "../../../src/errors.ts";
import {
  decodeBlock,
  eachConversation,
  encodeBlock,
  PART_ENTRIES,
} from "../../../src/history/rollup-block.ts";
import { newColumns } from "../../../src/history/rollup-columns.ts";
import type { RollupColumns } from "../../../src/history/rollup-types.ts";

const OF = { level: "hour", bucketMs: Date.UTC(2026, 2, 1, 12) } as const;
const SUMS = [
  "rows",
  "packetsSent",
  "bytesSent",
  "packetsReceived",
  "bytesReceived",
  "retransmits",
  "rttRows",
  "rttSumNs",
] as const;

interface Entry {
  conversation: number;
  direction: number;
  tcpFlags: number;
  sums: number[];
}

const anyNumber = fc.oneof(
  fc.constantFrom(
    0,
    1,
    127,
    128,
    2 ** 14,
    2 ** 28 - 1,
    2 ** 28,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 53 - 1,
  ),
  fc.integer({ min: 0, max: 300 }),
  fc.maxSafeNat(),
);
const anyEntry: fc.Arbitrary<Entry> = fc.record({
  conversation: anyNumber,
  direction: fc.integer({ min: 0, max: 1 }),
  tcpFlags: fc.integer({ min: 0, max: 0xffff }),
  sums: fc.array(anyNumber, { minLength: SUMS.length, maxLength: SUMS.length }),
});
const anyEntries = fc.array(anyEntry, { maxLength: 60 });

function columnsOf(entries: readonly Entry[]): RollupColumns {
  const columns = newColumns(PART_ENTRIES);
  const sorted = entries.toSorted((a, b) => a.conversation - b.conversation || a.direction - b.direction);
  for (const [index, entry] of sorted.entries()) {
    columns.conversation[index] = entry.conversation;
    columns.direction[index] = entry.direction;
    columns.tcpFlags[index] = entry.tcpFlags;
    for (const [place, name] of SUMS.entries()) columns[name][index] = entry.sums[place] ?? 0;
  }
  columns.length = entries.length;
  return columns;
}

/** Only what counts. */
function contents(columns: RollupColumns): Record<string, number[]> {
  return Object.fromEntries(
    [...SUMS, "conversation" as const, "direction" as const, "tcpFlags" as const].map((name) => [
      name,
      [...columns[name].subarray(0, columns.length)],
    ]),
  );
}

/** Columns that hold something else than was decoded last. */
function usedColumns(): RollupColumns {
  const columns = newColumns(PART_ENTRIES);
  for (const name of SUMS) columns[name].fill(99);
  return columns;
}

test("what is encoded is decoded the same", () => {
  fc.assert(
    fc.property(anyEntries, (entries) => {
      const columns = columnsOf(entries);
      const block = encodeBlock(columns);
      const decoded = usedColumns();
      decodeBlock(block, OF, decoded);
      expect(contents(decoded)).toEqual(contents(columns));
      const seen: number[] = [];
      eachConversation(block, OF, (id) => seen.push(id));
      expect(seen).toEqual([...columns.conversation.subarray(0, columns.length)]);
    }),
    { numRuns: 500 },
  );
});

test("a full part is decoded the same, and takes some sixteen bytes an entry", () => {
  const entries = Array.from({ length: PART_ENTRIES }, (_, index) => ({
    conversation: 5000 + index * 30,
    direction: index % 2,
    tcpFlags: 0x1b,
    sums: [6, 40, 9000, 60, 80_000, 0, 6, 6 * 12_345_678],
  }));
  const columns = columnsOf(entries);
  const block = encodeBlock(columns);
  const decoded = usedColumns();
  decodeBlock(block, OF, decoded);
  expect(contents(decoded)).toEqual(contents(columns));
  expect((block.conversations.length + block.data.length) / PART_ENTRIES).toBeLessThan(17);
});

test("a sum beyond what is exact becomes the largest that is", () => {
  const columns = columnsOf([
    { conversation: 1, direction: 0, tcpFlags: 0, sums: [2 ** 60, -5, Infinity, Number.NaN, 0, 0, 0, 0] },
  ]);
  const decoded = usedColumns();
  decodeBlock(encodeBlock(columns), OF, decoded);
  expect(contents(decoded)).toMatchObject({
    rows: [Number.MAX_SAFE_INTEGER],
    packetsSent: [0],
    bytesSent: [Number.MAX_SAFE_INTEGER],
    packetsReceived: [0],
  });
});

describe("damage", () => {
  const block = encodeBlock(
    columnsOf(
      Array.from({ length: 50 }, (_, index) => ({
        conversation: index * 200,
        direction: index % 2,
        tcpFlags: index,
        sums: [1, index, index * 1000, 2 ** 40, 0, index % 3, 1, 2 ** 33],
      })),
    ),
  );

  test("is an error that names the bucket", () => {
    expect(() => decodeBlock({ ...block, data: block.data.slice(0, -1) }, OF, usedColumns())).toThrow(
      "history: the hour of 2026-03-01T12:00:00.000Z is damaged in the database (rttSumNs)",
    );
    expect(() => decodeBlock({ ...block, entries: 51 }, OF, usedColumns())).toThrow(AyaflowError);
  });

  test("of the length is seen, whichever it is", () => {
    for (let length = 0; length < block.data.length; length++) {
      const data = block.data.slice(0, length);
      expect(() => decodeBlock({ ...block, data }, OF, usedColumns())).toThrow(AyaflowError);
    }
    for (let length = 0; length < block.conversations.length; length++) {
      const conversations = block.conversations.slice(0, length);
      expect(() => decodeBlock({ ...block, conversations }, OF, usedColumns())).toThrow(AyaflowError);
      expect(() => eachConversation({ ...block, conversations }, OF, () => undefined)).toThrow(AyaflowError);
    }
    const longer = Uint8Array.of(...block.data, 0);
    expect(() => decodeBlock({ ...block, data: longer }, OF, usedColumns())).toThrow(AyaflowError);
    for (const entries of [-1, 0.5, 1025, 2 ** 31, Number.NaN, 49]) {
      expect(() => decodeBlock({ ...block, entries }, OF, usedColumns())).toThrow(AyaflowError);
    }
  });

  test("of any bytes is an error or an answer, never anything else", () => {
    const anyBytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(anyBytes, anyBytes, fc.integer({ min: 0, max: 1100 }), (conversations, data, entries) => {
        const columns = usedColumns();
        try {
          decodeBlock({ entries, conversations, data }, OF, columns);
          expect(columns.length).toBe(entries);
        } catch (error) {
          expect(error).toBeInstanceOf(AyaflowError);
          expect(columns.length).toBe(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
