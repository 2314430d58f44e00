import { describe, expect, test } from "bun:test";
import { concat, pattern } from "../../support/bytes.ts";
import {
  block,
  chunked,
  enhancedPacket,
  type Field,
  interfaceBlock,
  numbers,
  readAll,
  sectionHeader,
} from "./fixture.ts";

const PACKET = pattern(61);
const HEADER = concat(sectionHeader(), interfaceBlock());

async function times(...parts: Uint8Array[]): Promise<number[]> {
  const { frames, error } = await readAll(chunked(concat(...parts)));
  expect(error).toBeNull();
  return frames.map(({ timeMs }) => timeMs);
}

describe.each([true, false])("a pcapng file, little-endian %p", (littleEndian) => {
  test("gives each packet with the name and link type of its interface", async () => {
    const file = concat(
      sectionHeader(littleEndian),
      interfaceBlock({ name: "eth0", littleEndian }),
      interfaceBlock({ linkType: 276, littleEndian }),
      enhancedPacket(PACKET, { ticks: 1_700_000_000_123_456n, length: 1500, littleEndian }),
      enhancedPacket(pattern(4), { index: 1, littleEndian }),
    );
    for (const size of [1, 13, file.length]) {
      expect(await readAll(chunked(file, size))).toEqual({
        frames: [
          { timeMs: 1_700_000_000_123.456, linkType: 1, interface: "eth0", bytes: PACKET, length: 1500 },
          { timeMs: 0, linkType: 276, interface: "if1", bytes: pattern(4), length: 4 },
        ],
        error: null,
      });
    }
  });

  test("keeps the time of an interface with another resolution and an offset", async () => {
    const interfaces = [
      interfaceBlock({ resolution: 9, littleEndian }),
      interfaceBlock({ resolution: 0x8a, littleEndian }),
      interfaceBlock({ offsetSeconds: -5n, littleEndian }),
      interfaceBlock({ resolution: 0, offsetSeconds: 1_000_000_000n, littleEndian }),
    ];
    const packets = [
      enhancedPacket(PACKET, { index: 0, ticks: 1_700_000_000_123_456_789n, littleEndian }),
      enhancedPacket(PACKET, { index: 1, ticks: 1024n * 7n + 512n, littleEndian }),
      enhancedPacket(PACKET, { index: 2, ticks: 6_000_000n, littleEndian }),
      enhancedPacket(PACKET, { index: 3, ticks: 3n, littleEndian }),
    ];
    expect(await times(sectionHeader(littleEndian), ...interfaces, ...packets)).toEqual([
      1_700_000_000_123 + 0.456_789,
      7500,
      1000,
      1_000_000_003_000,
    ]);
  });
});

test("sections have their own byte order and interfaces", async () => {
  const file = concat(
    sectionHeader(true),
    interfaceBlock({ name: "first" }),
    enhancedPacket(PACKET),
    sectionHeader(false),
    interfaceBlock({ name: "second", linkType: 101, littleEndian: false }),
    enhancedPacket(PACKET, { littleEndian: false }),
  );
  const { frames, error } = await readAll(chunked(file));
  expect(error).toBeNull();
  expect(frames.map((frame) => [frame.interface, frame.linkType, frame.bytes])).toEqual([
    ["first", 1, PACKET],
    ["second", 101, PACKET],
  ]);
});

test("a simple packet is of the first interface, cut at its limit, at the time of the packet before", async () => {
  const file = concat(
    sectionHeader(),
    interfaceBlock({ snapLength: 40, name: "lo" }),
    enhancedPacket(pattern(8), { ticks: 2_000_000n }),
    block(3, concat(numbers([[1500, 4]]), PACKET.subarray(0, 40))),
    block(3, concat(numbers([[5, 4]]), pattern(5))),
  );
  const { frames } = await readAll(chunked(file));
  expect(frames.slice(1)).toEqual([
    { timeMs: 2000, linkType: 1, interface: "lo", bytes: PACKET.subarray(0, 40), length: 1500 },
    { timeMs: 2000, linkType: 1, interface: "lo", bytes: pattern(5), length: 5 },
  ]);
});

test("an obsolete packet block is read", async () => {
  const fixed: Field[] = [
    [0, 2],
    [77, 2],
    [0, 4],
    [4_000_000, 4],
    [PACKET.length, 4],
    [99, 4],
  ];
  const { frames } = await readAll(chunked(concat(HEADER, block(2, concat(numbers(fixed), PACKET)))));
  expect(frames).toEqual([{ timeMs: 4000, linkType: 1, interface: "if0", bytes: PACKET, length: 99 }]);
});

test("other blocks are passed over", async () => {
  const unknown = block(0x0bad_cafe, pattern(5_000_000));
  const file = concat(HEADER, unknown, enhancedPacket(PACKET), block(5, pattern(12)));
  const { frames, error } = await readAll(chunked(file, 60_000));
  expect(error).toBeNull();
  expect(frames.map(({ bytes }) => bytes)).toEqual([PACKET]);
});

test.each([
  ["\u001b[2Jeth\u202e0", "\ufffd[2Jeth\ufffd0"],
  ["Wi-Fi 2", "Wi-Fi 2"],
  ["eth0\0", "eth0"],
  ["x".repeat(70), "x".repeat(64)],
])("an interface named %p is shown as %p", async (name, shown) => {
  const file = concat(sectionHeader(), interfaceBlock({ name }), enhancedPacket(PACKET));
  const { frames } = await readAll(chunked(file));
  expect(frames[0]?.interface).toBe(shown);
});

test("a time is never one that a date cannot hold", async () => {
  const far = interfaceBlock({ offsetSeconds: 2n ** 62n });
  const before = interfaceBlock({ offsetSeconds: -(2n ** 62n) });
  const fine = interfaceBlock({ resolution: 0xff });
  const packets = [0, 1, 2].map((index) => enhancedPacket(PACKET, { index, ticks: 2n ** 64n - 1n }));
  const [late, early, small] = await times(sectionHeader(), far, before, fine, ...packets);
  expect(new Date(late ?? Number.NaN).toISOString()).toBe("9999-12-31T23:59:59.999Z");
  expect(early).toBe(0);
  expect(small).toBeCloseTo(0, 9);
});

test("an option that runs out of its block ends the options", async () => {
  const body = concat(
    numbers([
      [1, 2],
      [0, 2],
      [0, 4],
      [2, 2],
      [60_000, 2],
    ]),
    pattern(8),
  );
  const { frames } = await readAll(chunked(concat(sectionHeader(), block(1, body), enhancedPacket(PACKET))));
  expect(frames.map((frame) => frame.interface)).toEqual(["if0"]);
});

/** `HEADER` has 28 + 24 bytes. */
const AT = 52;

test.each([
  [
    "a packet of an unknown interface",
    enhancedPacket(PACKET, { index: 7 }),
    `damaged at byte ${AT}: a packet of interface 7, which is not described`,
  ],
  [
    "more captured bytes than the block has",
    enhancedPacket(PACKET, { captured: 65 }),
    `damaged at byte ${AT}: a packet of 65 captured bytes in a block of 84`,
  ],
  [
    "more captured bytes than any capture has",
    enhancedPacket(new Uint8Array(300_000)),
    `damaged at byte ${AT}: a packet of 300000 captured bytes, more than 262144`,
  ],
  [
    "two lengths that differ",
    concat(block(9, pattern(4)).slice(0, -4), numbers([[20, 4]])),
    `damaged at byte ${AT}: a block that is 16 bytes long in front, 20 behind`,
  ],
  [
    "a length that is too short",
    numbers([
      [6, 4],
      [28, 4],
    ]),
    `damaged at byte ${AT}: a block of type 6 with the impossible length 28`,
  ],
  [
    "a length of 0",
    numbers([
      [9, 4],
      [0, 4],
    ]),
    `damaged at byte ${AT}: a block of type 9 with the impossible length 0`,
  ],
  [
    "a length that is not of whole words",
    numbers([
      [9, 4],
      [18, 4],
    ]),
    `damaged at byte ${AT}: a block of type 9 with the impossible length 18`,
  ],
  [
    "a length beyond 16 MiB",
    numbers([
      [9, 4],
      [16_777_220, 4],
    ]),
    `damaged at byte ${AT}: a block of type 9 with the impossible length 16777220`,
  ],
  [
    "a section without byte order",
    block(0x0a0d0d0a, new Uint8Array(16)),
    `damaged at byte ${AT}: a section header without byte order`,
  ],
  ["another major version", sectionHeader(true, 2), "of pcapng version 2.0; only 1.x is known"],
  [
    "a block that is cut",
    enhancedPacket(PACKET).slice(0, 50),
    `cut short at byte ${AT}: 50 bytes left of a block, which takes 96`,
  ],
  [
    "an unknown block that is cut",
    block(9, pattern(40)).slice(0, 30),
    `cut short at byte ${AT + 30}: 18 bytes of a block are missing`,
  ],
])("%s ends the file with an error, after the packets before", async (_, bytes, problem) => {
  const good = enhancedPacket(pattern(3));
  const { frames, error } = await readAll(chunked(concat(HEADER, good, bytes)));
  expect(frames.map((frame) => frame.bytes)).toEqual([pattern(3)]);
  const shifted = problem.replace(/byte (\d+)/, (__, at: string) => `byte ${Number(at) + good.length}`);
  expect(error).toBe(`AyaflowError: the capture is ${shifted}`);
});

test("a section may describe only so many interfaces", async () => {
  const many = Array.from({ length: 65_537 }, () => interfaceBlock());
  const { error } = await readAll(chunked(concat(sectionHeader(), ...many)));
  expect(error).toContain("more than 65536 interfaces in a section");
});
