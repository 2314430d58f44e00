import { describe, expect, test } from "bun:test";
import { readCapture } from "../../../src/capture/capture.ts";
import { concat, pattern } from "../../support/bytes.ts";
import { chunked, pcapHeader, pcapRecord, readAll } from "./fixture.ts";

const PACKET = pattern(60);

describe.each([true, false])("a pcap file, little-endian %p", (littleEndian) => {
  test("gives link type, time in microseconds, bytes and length on the wire", async () => {
    const file = concat(
      pcapHeader({ linkType: 113, littleEndian }),
      pcapRecord(PACKET, { seconds: 1_700_000_000, fraction: 123_456, length: 1500, littleEndian }),
      pcapRecord(pattern(7), { seconds: 4_294_967_295, littleEndian }),
    );
    expect(await readAll(chunked(file))).toEqual({
      frames: [
        { timeMs: 1_700_000_000_123.456, linkType: 113, interface: "", bytes: PACKET, length: 1500 },
        { timeMs: 4_294_967_295_000, linkType: 113, interface: "", bytes: pattern(7), length: 7 },
      ],
      error: null,
    });
  });

  test("in nanoseconds gives them", async () => {
    const file = concat(
      pcapHeader({ magic: 0xa1b23c4d, littleEndian }),
      pcapRecord(PACKET, { seconds: 5, fraction: 250_000_500, littleEndian }),
    );
    const { frames } = await readAll(chunked(file));
    expect(frames.map(({ timeMs }) => timeMs)).toEqual([5250.0005]);
  });

  test("with Kuznetzov's longer record headers is read past them", async () => {
    const record = pcapRecord(PACKET, { fraction: 2000, extra: 8, littleEndian });
    const file = concat(pcapHeader({ magic: 0xa1b2cd34, littleEndian }), record, record);
    const { frames, error } = await readAll(chunked(file));
    expect(error).toBeNull();
    expect(frames.map(({ bytes, timeMs }) => [bytes, timeMs])).toEqual([
      [PACKET, 2],
      [PACKET, 2],
    ]);
  });
});

test("a file reads the same in chunks of any size", async () => {
  const file = concat(pcapHeader(), ...Array.from({ length: 20 }, (_, n) => pcapRecord(pattern(n * 9, n))));
  const { frames } = await readAll(chunked(file));
  expect(frames).toHaveLength(20);
  for (const size of [1, 2, 3, 15, 16, 17, 40, 1000]) {
    expect(await readAll(chunked(file, size))).toEqual({ frames, error: null });
  }
});

test("the link type is apart from what the field says of a frame check sequence", async () => {
  const file = concat(pcapHeader({ linkType: 0x1400_0001 }), pcapRecord(PACKET));
  const { frames } = await readAll(chunked(file));
  expect(frames[0]?.linkType).toBe(1);
});

test("a length on the wire below what was captured is not believed", async () => {
  const file = concat(pcapHeader(), pcapRecord(PACKET, { length: 3 }));
  const { frames } = await readAll(chunked(file));
  expect(frames[0]?.length).toBe(60);
});

test.each([
  [
    "the middle of a packet",
    24 + 16 + 60 + 16 + 30,
    "cut short at byte 100: 46 bytes left of a record, which takes 76",
  ],
  [
    "a record header",
    24 + 16 + 60 + 5,
    "cut short at byte 100: 5 bytes left of a record header, which takes 16",
  ],
])("a file cut in %s gives what is before, then says where", async (_, length, problem) => {
  const file = concat(pcapHeader(), pcapRecord(PACKET), pcapRecord(PACKET)).slice(0, length);
  const { frames, error } = await readAll(chunked(file));
  expect(frames).toHaveLength(1);
  expect(error).toBe(`AyaflowError: the capture is ${problem}`);
});

test("a file cut in its header says so", async () => {
  expect((await readAll(chunked(pcapHeader().slice(0, 20)))).error).toBe(
    "AyaflowError: the capture is cut short at byte 0: 20 bytes left of the file header, which takes 24",
  );
});

test("a packet longer than any capture has is damage, and is not waited for", async () => {
  const file = concat(pcapHeader(), pcapRecord(PACKET), pcapRecord(PACKET, { captured: 262_145 }));
  const { frames, error } = await readAll(chunked(file));
  expect(frames).toHaveLength(1);
  expect(error).toBe(
    "AyaflowError: the capture is damaged at byte 100: a packet of 262145 captured bytes, more than 262144",
  );
});

test("another major version is refused", async () => {
  expect((await readAll(chunked(pcapHeader({ major: 3 })))).error).toBe(
    "AyaflowError: the capture is of pcap version 3.4; only 2.x is known",
  );
});

test.each([
  ["text", new TextEncoder().encode("not a capture"), "this is not a capture"],
  ["two bytes", Uint8Array.of(0xd4, 0xc3), "this is not a capture"],
  ["nothing", new Uint8Array(), "there is nothing in it"],
])("%s is refused with what can be read", async (_, bytes, problem) => {
  expect(await readAll(chunked(bytes))).toEqual({
    frames: [],
    error: `AyaflowError: ${problem}: ayaflow reads pcap and pcapng files, as they are or compressed with gzip`,
  });
});

test("a packet comes as soon as it is complete, and leaving closes the source", async () => {
  const states: string[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield concat(pcapHeader(), pcapRecord(PACKET));
      states.push("asked for more");
      yield pcapRecord(PACKET);
    } finally {
      states.push("closed");
    }
  }
  for await (const frame of readCapture(source())) {
    expect(frame.bytes).toEqual(PACKET);
    expect(states).toEqual([]);
    break;
  }
  expect(states).toEqual(["closed"]);
});

test("a frame has memory of its own", async () => {
  const { frames } = await readAll(chunked(concat(pcapHeader(), pcapRecord(PACKET), new Uint8Array(9000))));
  expect(frames[0]?.bytes.buffer.byteLength).toBe(PACKET.length);
});
