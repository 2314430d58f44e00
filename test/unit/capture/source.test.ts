import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readCapture } from "../../../src/capture/capture.ts";
import { decompressed, openCapture } from "../../../src/capture/source.ts";
import { concat, pattern } from "../../support/bytes.ts";
import { frame } from "../../support/frames.ts";
import { chunked, pcapHeader, pcapRecord, readAll } from "./fixture.ts";

const CAPTURE = concat(
  pcapHeader(),
  ...Array.from({ length: 400 }, (_, n) => pcapRecord(pattern(1 + (n % 700), n))),
);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-capture-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, bytes);
  return path;
}

describe("compressed with gzip", () => {
  test.each([1, 7, 100_000])("a capture reads the same, in chunks of %i", async (size) => {
    const plain = await readAll(chunked(CAPTURE));
    expect(plain.frames).toHaveLength(400);
    expect(await readAll(decompressed(chunked(gzipSync(CAPTURE), size)))).toEqual(plain);
  });

  test("files joined together are one", async () => {
    const joined = concat(gzipSync(CAPTURE.slice(0, 999)), gzipSync(CAPTURE.slice(999)));
    expect((await readAll(decompressed(chunked(joined)))).frames).toHaveLength(400);
  });

  test("a file cut short gives what is before, then says so", async () => {
    const packed = gzipSync(CAPTURE);
    const half = packed.subarray(0, packed.length >> 1);
    const { frames, error } = await readAll(decompressed(chunked(half, 100)));
    expect(frames.length).toBeGreaterThan(10);
    expect(frames).toEqual((await readAll(chunked(CAPTURE))).frames.slice(0, frames.length));
    expect(error).toMatch(
      /^AyaflowError: the gzip data is damaged or cut short, \d+ bytes into the capture: unexpected end of file$/,
    );
  });

  test("no more is decompressed than is asked for", async () => {
    const bomb = gzipSync(new Uint8Array(100_000_000));
    const bytes = decompressed(chunked(bomb, 1000));
    const before = process.memoryUsage().rss;
    expect((await bytes.next()).done).toBe(false);
    await Bun.sleep(50);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    await bytes.return(undefined);
  });
});

test("bytes that are not compressed pass unchanged, one at a time too", async () => {
  for (const bytes of [new Uint8Array(), Uint8Array.of(0x1f), Uint8Array.of(1, 2, 3), CAPTURE]) {
    const parts: Uint8Array[] = [];
    for await (const part of decompressed(chunked(bytes, 1))) parts.push(part);
    expect(concat(...parts)).toEqual(bytes);
  }
});

test("a file is read, whatever its name says of compression", async () => {
  const path = await write("packed.pcap", gzipSync(CAPTURE));
  expect((await readAll(openCapture(path))).frames).toHaveLength(400);
  const plain = await write("plain.gz", CAPTURE);
  expect((await readAll(openCapture(plain))).frames).toHaveLength(400);
});

test("a file that is not there, and a folder, are named in the error", async () => {
  const missing = join(folder, "missing.pcap");
  expect((await readAll(openCapture(missing))).error).toMatch(
    new RegExp(`^AyaflowError: cannot read ${missing}: ENOENT`),
  );
  expect((await readAll(openCapture(folder))).error).toMatch(
    new RegExp(`^AyaflowError: cannot read ${folder}: EISDIR`),
  );
});

test("standard input gives each packet as soon as it is written", async () => {
  const script = `
    import { readCapture } from ${JSON.stringify(join(import.meta.dir, "../../../src/capture/capture.ts"))};
    import { openCapture } from ${JSON.stringify(join(import.meta.dir, "../../../src/capture/source.ts"))};
    for await (const frame of readCapture(openCapture("-"))) console.log(frame.bytes.length);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" });
  const output = child.stdout.getReader();
  const line = async () => new TextDecoder().decode((await output.read()).value);
  await child.stdin.write(concat(pcapHeader(), pcapRecord(pattern(60))));
  await child.stdin.flush();
  expect(await line()).toBe("60\n");
  await child.stdin.write(pcapRecord(pattern(61)));
  await child.stdin.flush();
  expect(await line()).toBe("61\n");
  await child.stdin.end();
  expect(await child.exited).toBe(0);
});

describe("Wireshark's own tools", () => {
  const ends = { source: "192.0.2.1", destination: "192.0.2.2" };
  const packets = [1, 700, 1400].map((length) =>
    frame({
      ...ends,
      transport: { kind: "udp", sourcePort: 1000, destinationPort: 53, payload: pattern(length) },
    }),
  );
  const records = packets.map((bytes, n) =>
    pcapRecord(bytes, { seconds: 1_600_000_000 + n, fraction: 654_321 }),
  );
  const file = concat(pcapHeader(), ...records);

  test.each(["pcapng", "nsecpcap", "modpcap"])("write %s that reads the same", async (format) => {
    const from = await write("from.pcap", file);
    const to = join(folder, `to.${format}`);
    const editcap = Bun.spawnSync(["editcap", "-F", format, from, to]);
    expect(editcap.stderr.toString()).toBe("");
    const plain = await readAll(openCapture(from));
    const converted = await readAll(openCapture(to));
    expect(plain.frames.map(({ bytes }) => bytes)).toEqual(packets);
    expect(converted.error).toBeNull();
    expect(converted.frames.map((each) => ({ ...each, interface: "" }))).toEqual(plain.frames);
  });

  test("cut to a limit leave the length on the wire", async () => {
    const from = await write("from.pcap", file);
    const to = join(folder, "short.pcapng");
    Bun.spawnSync(["editcap", "-F", "pcapng", "-s", "64", from, to]);
    const { frames } = await readAll(openCapture(to));
    expect(frames.map(({ bytes, length }) => [bytes.length, length])).toEqual(
      packets.map(({ length }) => [Math.min(length, 64), length]),
    );
  });

  test("tcpdump's output is read from its pipe", async () => {
    const from = await write("from.pcap", file);
    const tcpdump = Bun.spawn(["tcpdump", "-U", "-r", from, "-w", "-"], { stderr: "ignore" });
    const lengths: number[] = [];
    for await (const each of readCapture(tcpdump.stdout)) lengths.push(each.length);
    expect(lengths).toEqual(packets.map(({ length }) => length));
  });
});
