import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type ClientHello, parseClientHello } from "../../../src/inspect/client-hello.ts";
import { ja4 } from "../../../src/inspect/ja4.ts";
import { clientHello, type ClientHelloOptions } from "../../support/tls.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

function parsed(options: ClientHelloOptions): ClientHello {
  const hello = parseClientHello(clientHello(options).subarray(4));
  if (hello === null) throw new Error("no hello");
  return hello;
}

const partA = (options: ClientHelloOptions) => ja4(parsed(options), "tcp").slice(0, 10);
const partC = (hello: ClientHello) => ja4(hello, "tcp").slice(24);
const sha = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);

/** The example that FoxIO's JA4.md works through. */
const EXAMPLE: ClientHello = {
  legacyVersion: 0x0303,
  serverName: "example.com",
  alpn: ["h2"],
  alpnBytes: bytes(0x68, 0x32),
  versions: [0x0304, 0x0303],
  ciphers: [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
    0x002f, 0x0035,
  ],
  extensions: [
    0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01,
    0x000b, 0x000a, 0x0015,
  ],
  signatureAlgorithms: [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
  ech: false,
  isCut: false,
};

test("the example of the specification", () => {
  expect(ja4(EXAMPLE, "tcp")).toBe("t13d1516h2_8daaf6152771_e5627efa2ab1");
  expect(ja4(EXAMPLE, "quic")).toBe("q13d1516h2_8daaf6152771_e5627efa2ab1");
});

test("without signature algorithms, the hash of the specification's example", () => {
  expect(partC({ ...EXAMPLE, signatureAlgorithms: [] })).toBe("6d807ffa2a79");
});

test("GREASE counts and is hashed nowhere", () => {
  const hello = {
    ...EXAMPLE,
    ciphers: [0xfafa, ...EXAMPLE.ciphers],
    extensions: [0x2a2a, ...EXAMPLE.extensions, 0x0a0a],
    signatureAlgorithms: [0x1a1a, ...EXAMPLE.signatureAlgorithms],
  };
  expect(ja4(hello, "tcp")).toBe(ja4(EXAMPLE, "tcp"));
});

test("what only looks like GREASE counts", () => {
  expect(ja4({ ...EXAMPLE, ciphers: [0x0a1a, 0x0b0b] }, "tcp").slice(4, 6)).toBe("02");
});

test("the order of signature algorithms matters, that of ciphers and extensions does not", () => {
  const { ciphers, extensions, signatureAlgorithms } = EXAMPLE;
  const turned = { ...EXAMPLE, ciphers: ciphers.toReversed(), extensions: extensions.toReversed() };
  expect(ja4(turned, "tcp")).toBe(ja4(EXAMPLE, "tcp"));
  expect(partC({ ...EXAMPLE, signatureAlgorithms: signatureAlgorithms.toReversed() })).not.toBe(
    partC(EXAMPLE),
  );
});

describe("the version", () => {
  test.each([
    ["13", [0x0304, 0x0303], 0x0303],
    ["12", [], 0x0303],
    ["11", [0x0302], 0x0303],
    ["10", [], 0x0301],
    ["s3", [], 0x0300],
    ["00", [0x0304, 0x7f1a], 0x0303],
    ["00", [], 0x0305],
  ])("%s", (expected, versions, legacyVersion) => {
    expect(partA({ versions, legacyVersion }).slice(1, 3)).toBe(expected);
  });
});

describe("the destination", () => {
  test("is a domain where there is a name, and where its extension is empty", () => {
    expect(partA({ serverName: "a.example" })[3]).toBe("d");
    expect(partA({ extensions: [{ type: 0, data: bytes() }] })[3]).toBe("d");
  });

  test("is an address without one", () => {
    expect(partA({})[3]).toBe("i");
  });
});

test("counts stop at 99", () => {
  const ciphers = Array.from({ length: 100 }, (_, index) => 0xc000 + index);
  const extensions = ciphers.map((type) => ({ type, data: bytes() }));
  expect(partA({ ciphers, extensions, versions: [] }).slice(4, 8)).toBe("9999");
});

describe("the protocol", () => {
  test.each([
    ["00", []],
    ["00", [""]],
    ["h2", ["h2", "http/1.1"]],
    ["h1", ["http/1.1", "h2"]],
    ["aa", ["a"]],
    ["Z9", ["Z-9"]],
    ["ab", [bytes(0xab)]],
    ["ad", [bytes(0xab, 0xcd)]],
    ["3b", [bytes(0x30, 0xab)]],
    ["3d", [bytes(0x30, 0x31, 0xab, 0xcd)]],
    ["01", [bytes(0x30, 0xab, 0xcd, 0x31)]],
    ["6f", ["h/"]],
  ])("%s", (expected, alpn) => {
    expect(partA({ alpn }).slice(8)).toBe(expected);
  });
});

describe("hashes of nothing", () => {
  test("are zeros", () => {
    expect(ja4(parsed({ ciphers: [], withoutExtensions: true }), "tcp")).toBe(
      "t12i000000_000000000000_000000000000",
    );
  });

  test("are zeros where name and protocol are the only extensions", () => {
    expect(partC(parsed({ serverName: "a.example", alpn: ["h2"], versions: [] }))).toBe("000000000000");
  });

  test("are not those of one extension", () => {
    expect(partC(parsed({ versions: [0x0304] }))).toBe(sha("002b"));
  });
});
