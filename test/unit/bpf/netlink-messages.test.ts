import { expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { linkDumpRequest, parseRouteMessages } from "../../../src/bpf/netlink-messages.ts";

const base64 = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const zipped = (text: string) => new Uint8Array(gunzipSync(Buffer.from(text, "base64")));

/** As Linux 6.18 sent them: what `ip` and `tc` did to a veth. */
const SENT = {
  /** `ip link set v0 nomaster`: RTM_DELLINK of family AF_BRIDGE. */
  leftBridge: base64(
    "VAAAABEAAAAAAAAAAAAAAAcAAQAEAAAAAhAAAAAAAAAHAAMAdjAAAAgACgACAAAACAAEANwFAAAFABAAAgAAAAoAAQDWpok05yIAAAgABQADAAAA",
  ),
  /** `ip link set v0 name w0`. */
  renamed: zipped(
    "H4sIAAAAAAACA+1Tu0rEQBQ9mWR2s4uPKAuCgq8VH1gYdLFY17d+gJ2lgoKVayFa2KRU8CO28gv8DEuxslcsrCzs4r03FzaGXUXFRjyQnMzcR87MnLm1QIA0HHj0NjqZh4vTEPDRiUcXsJRtwNwjcYt1YZ+q7i3zLDZkPIc4Zh7Q+KDyovKQ9PExqXlT8m8fVeVl5RXlBbzGeeKa5q9pn2HVM6LjMmUzz+g4lHFOVDFvqu4J4SJF764uKg+j/G2oNwO4QR/+CvboFH8bHZimPTXyHaAXBdrXk/3jg+QMLLkINJfDYb1+xHOh249Lyj+X00m77/2DFP8UAR05ezgL7t8wRdKZ/KlEetkD5TOL692k5kXXxm5kn2d1smsa3c3+UbWAaMuRdW+b5h1L1+w8tdfqtNDttIm32p/oef7DuMBLiNfK+rN5FcfFOP7xFdTI49+9baUWlZZcyRhD16f1HpYiD6vRG8HjzbDUBQAA",
  ),
  /** `tc qdisc del dev w0 clsact`. */
  qdiscRemoved: base64(
    "mAAAACUAAACLvQlrOHoAAAAAAAAEAAAAAAD///H///8AAAAACwABAGNsc2FjdAAABAACAAUADAAAAAAAMAAHABQAAQAAAAAAAAAAAAAAAAAAAAAAGAADAAAAAAAAAAAAAAAAAAAAAAAAAAAALAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  ),
  /** `ip route add default via 10.9.9.2`, and one to 10.8.0.0/16. */
  defaultRoute: base64("NAAAABgAAAaKvQlrQHoAAAIAAAD+AwABAAAAAAgADwD+AAAACAAFAAoJCQIIAAQABAAAAA=="),
  otherRoute: base64("PAAAABgAAAaKvQlrQnoAAAIQAAD+AwABAAAAAAgADwD+AAAACAABAAoIAAAIAAUACgkJAggABAAEAAAA"),
  /** `ip link del w0`. */
  removed: zipped(
    "H4sIAAAAAAACA1vBxMAgyIAMGBlYgCSTAAPDfyBgZ2BmKDdgYOBg4GV4wczAwMogwADUAqQhulgZnME0B1DXHVYQbcTgAuYbA/WDaGmovByUtoXS8mBzOBg0oOo0wXZzMFhBaXso7QClrRl+AF3DwWADVe8ENUcB6h5FKF8Z6GIQrQ/UBaINwPJsYFeBaFeou9XBNBdQ1bVlnSbPlUBsJrCfQeafYRBnGC4ghYGd5nbwMGgDw5QJzBZgEGLgBIZrWWpJBiROWMHinMDQz8vPLwCxWRikGFQY+Aiay8Jg18DC4NgAAEGLwN2oAgAA",
  ),
};

const only = (bytes: Uint8Array) => parseRouteMessages(bytes).messages;
const RENAMED = { kind: "link", link: { name: "w0", ifindex: 4, hardwareType: 1 } } as const;

test("what the kernel sends", () => {
  expect(only(SENT.renamed)).toEqual([RENAMED]);
  expect(only(SENT.removed)).toEqual([{ kind: "gone", ifindex: expect.any(Number) }]);
  expect(only(SENT.qdiscRemoved)).toEqual([{ kind: "filters", ifindex: expect.any(Number) }]);
  expect(only(SENT.defaultRoute)).toEqual([{ kind: "route" }]);
});

test("a port that leaves its bridge is not gone, a route to a network is not a default route", () => {
  expect(only(SENT.leftBridge)).toEqual([]);
  expect(only(SENT.otherRoute)).toEqual([]);
});

test("several messages in one datagram", () => {
  const both = new Uint8Array([...SENT.renamed, ...SENT.defaultRoute]);
  expect(parseRouteMessages(both)).toEqual({
    messages: [RENAMED, { kind: "route" }],
    isInterrupted: false,
    isBroken: false,
  });
});

/** A message of a type with a body. */
function message(type: number, body: readonly number[], flags = 0): Uint8Array {
  const bytes = new Uint8Array(16 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  bytes.set(body, 16);
  return bytes;
}

test("the end of a dump, an interrupted one, an error", () => {
  expect(only(message(3, [0, 0, 0, 0]))).toEqual([{ kind: "done" }]);
  expect(parseRouteMessages(message(3, [0, 0, 0, 0], 0x10)).isInterrupted).toBe(true);
  expect(only(message(2, [0xff, 0xff, 0xff, 0xff]))).toEqual([{ kind: "error", errno: 1 }]);
});

test("a message cut short anywhere is no more than broken", () => {
  for (const bytes of Object.values(SENT)) {
    for (let length = 1; length < bytes.length; length++) {
      const { messages, isBroken } = parseRouteMessages(bytes.subarray(0, length));
      expect(messages).toEqual([]);
      expect(isBroken).toBe(true);
    }
  }
});

test("bodies and attributes cut short, with the header saying so", () => {
  for (const type of [2, 16, 17, 24, 25, 37, 45]) {
    for (let length = 0; length < 4; length++) expect(only(message(type, Array(length).fill(1)))).toEqual([]);
  }
  const info = [0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const length of [0, 1, 3, 200]) expect(only(message(16, [...info, length, 0, 3, 0]))).toEqual([]);
  expect(only(message(16, [...info, 6, 0, 3, 0, 97, 98]))).toMatchObject([
    { link: { name: "ab", ifindex: 7 } },
  ]);
  expect(only(message(17, [0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, ...info.slice(8)]))).toEqual([]);
});

test("lengths that go backwards or nowhere end it", () => {
  for (const length of [0, 1, 15, 0xffff_ffff, 0x7fff_ffff]) {
    const bytes = message(16, Array(32).fill(0));
    new DataView(bytes.buffer).setUint32(0, length, true);
    expect(parseRouteMessages(bytes)).toEqual({ messages: [], isInterrupted: false, isBroken: true });
  }
});

test("bytes changed at random never throw", () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = SENT.renamed.slice();
    for (let change = 0; change < 4; change++)
      bytes[random(round % 2 === 0 ? 64 : bytes.length)] = random(256);
    expect(parseRouteMessages(bytes).messages.length).toBeLessThan(bytes.length / 16);
  }
});

test("the question says its own length", () => {
  const request = linkDumpRequest(9);
  expect(new DataView(request.buffer).getUint32(0, true)).toBe(request.length);
});
