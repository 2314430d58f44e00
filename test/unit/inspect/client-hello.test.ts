import { describe, expect, test } from "bun:test";
import { parseClientHello, readClientHello, salvageClientHello } from "../../../src/inspect/client-hello.ts";
import { BAD, MORE, NO } from "../../../src/inspect/reading.ts";
import { highestVersion, tlsVersionName } from "../../../src/inspect/tls-version.ts";
import { concat, fields, pattern } from "../../support/bytes.ts";
import {
  alpnData,
  clientHello,
  type ClientHelloOptions,
  handshake,
  serverNameData,
  tlsRecord,
  tlsRecords,
} from "../../support/tls.ts";

const HEADER = 4;
const bytes = (...values: number[]) => Uint8Array.from(values);
const ascii = (text: string) => new TextEncoder().encode(text);
const bodyOf = (options: ClientHelloOptions) => clientHello(options).subarray(HEADER);

/** Where things are in a body without a session ID, with two cipher suites and one compression method. */
const AT = {
  version: 0,
  sessionId: 34,
  ciphersLength: 35,
  compression: 41,
  extensionsLength: 43,
  extensionLength: 47,
};

function parsed(options: ClientHelloOptions) {
  const hello = parseClientHello(bodyOf(options));
  if (hello === null) throw new Error("no hello");
  return hello;
}

/** Copy of `body` with the byte at `at` changed. */
function withByte(body: Uint8Array, at: number, value: number): Uint8Array {
  const out = body.slice();
  out[at] = value;
  return out;
}

describe("a hello", () => {
  test("is read field by field, with GREASE where it stays", () => {
    const hello = parsed({
      serverName: "WWW.Example.org",
      alpn: ["h2", "http/1.1"],
      signatureAlgorithms: [0x0403, 0x0804],
      greaseFirst: true,
      sessionId: pattern(32),
      extensions: [{ type: 0x002d, data: bytes(1, 1) }],
    });
    expect(hello).toEqual({
      legacyVersion: 0x0303,
      serverName: "www.example.org",
      alpn: ["h2", "http/1.1"],
      alpnBytes: ascii("h2"),
      versions: [0x0304, 0x0303],
      ciphers: [0x1a1a, 0x1301, 0x1302],
      extensions: [0x1a1a, 0, 16, 43, 13, 0x002d],
      signatureAlgorithms: [0x1a1a, 0x0403, 0x0804],
      ech: false,
      isCut: false,
    });
  });

  test("may end without extensions", () => {
    const hello = parsed({ withoutExtensions: true, legacyVersion: 0x0300, ciphers: [0x0005] });
    expect(hello).toMatchObject({ serverName: null, alpn: [], versions: [], ciphers: [5], extensions: [] });
    expect(hello.alpnBytes).toHaveLength(0);
  });

  test("may have bytes left over in its extensions and behind them", () => {
    const body = bodyOf({ serverName: "a.example" });
    const longer = withByte(body, AT.extensionsLength + 1, (body[AT.extensionsLength + 1] ?? 0) + 3);
    expect(parseClientHello(concat(body, bytes(0)))?.serverName).toBe("a.example");
    expect(parseClientHello(concat(longer, bytes(0, 5, 0)))).toEqual(parseClientHello(body));
  });

  test.each([
    ["outer", true],
    ["inner", false],
  ] as const)("with the %s form of ECH", (ech, expected) => {
    expect(parsed({ serverName: "front.example", ech })).toMatchObject({
      ech: expected,
      serverName: "front.example",
    });
  });

  test("with ESNI offers ECH", () => {
    expect(parsed({ extensions: [{ type: 0xffce, data: pattern(100) }] }).ech).toBe(true);
  });

  test("shows letter case and strange bytes of its protocols", () => {
    const { alpn } = parsed({ alpn: ["H2", bytes(0x0a, 0x1b, 0x5c, 0x20, 0x7f, 0xff), "é", ""] });
    expect(alpn).toEqual(["H2", "\\n\\033\\ \\177\ufffd", "é", ""]);
  });

  test("keeps bytes of its own", () => {
    const body = bodyOf({ alpn: ["h2"] });
    const hello = parseClientHello(body);
    body.fill(0);
    expect(hello?.alpnBytes).toEqual(ascii("h2"));
  });
});

describe("a server name", () => {
  const nameOf = (data: Uint8Array) => parsed({ extensions: [{ type: 0, data }] }).serverName;
  const entry = (type: number, name: string) => concat(fields([type, 1], [name.length, 2]), ascii(name));
  const listOf = (...entries: Uint8Array[]) => {
    const all = concat(...entries);
    return concat(fields([all.length, 2]), all);
  };

  test.each([
    ["with a final dot", serverNameData("a.example."), "a.example"],
    ["with control characters", serverNameData("a\u001b[31m"), "a\\033[31m"],
    ["behind an entry of another type", listOf(entry(1, "xyz"), entry(0, "a.example")), "a.example"],
    ["before another one", listOf(entry(0, "a.example"), entry(0, "b.example")), "a.example"],
    ["of 255 bytes", serverNameData("a".repeat(255)), "a".repeat(255)],
  ])("%s", (_, data, name) => {
    expect(nameOf(data)).toBe(name);
  });

  test.each([
    ["an empty extension", bytes()],
    ["an empty list", bytes(0, 0)],
    ["an empty name", serverNameData("")],
    ["another type alone", listOf(entry(1, "a.example"))],
    ["a name longer than its extension", concat(fields([12, 2], [0, 1], [9, 2]), ascii("a.exampl"))],
    ["a name of over 255 bytes", serverNameData("a".repeat(256))],
  ])("is not in %s", (_, data) => {
    expect(nameOf(data)).toBeNull();
  });

  test("is that of the first extension", () => {
    const hello = parsed({
      serverName: "first.example",
      extensions: [{ type: 0, data: serverNameData("second.example") }],
    });
    expect(hello.serverName).toBe("first.example");
    expect(hello.extensions).toEqual([0, 43, 0]);
  });
});

describe("lists shorter than they say", () => {
  test("give what is whole in them", () => {
    const hello = parsed({
      versions: [],
      extensions: [
        { type: 16, data: concat(fields([50, 2]), alpnData(["h2"]).subarray(2), bytes(9, 0x68)) },
        { type: 43, data: bytes(8, 3, 4, 3, 3, 3) },
        { type: 13, data: bytes(0, 8, 4, 3) },
      ],
    });
    expect(hello).toMatchObject({ alpn: ["h2"], versions: [0x0304, 0x0303], signatureAlgorithms: [0x0403] });
  });
});

describe("no hello", () => {
  const body = bodyOf({ serverName: "a.example" });

  test.each([
    ["nothing", bytes()],
    ["another version", withByte(body, AT.version, 2)],
    ["a session ID of 33 bytes", bodyOf({ sessionId: pattern(33) })],
    ["half a cipher suite", withByte(body, AT.ciphersLength + 1, 5)],
    ["ciphers past the end", withByte(body, AT.ciphersLength, 0xff)],
    ["compression methods past the end", withByte(body, AT.compression, 0xff)],
    ["half a length of the extensions", body.subarray(0, AT.extensionsLength + 1)],
    ["extensions past the end", withByte(body, AT.extensionsLength, 0xff)],
    ["an extension past the others' end", withByte(body, AT.extensionLength, 0xff)],
    ["half an extension", withByte(body, AT.extensionsLength + 1, (body[AT.extensionsLength + 1] ?? 0) - 4)],
  ])("is in %s", (_, input) => {
    expect(parseClientHello(input)).toBeNull();
    expect(readClientHello(tlsRecord(handshake(1, input)))).toEqual(BAD);
  });
});

describe("a cut hello", () => {
  const options = { serverName: "a.example", alpn: ["h2", "http/1.1"], ech: "outer" } as const;
  const body = bodyOf(options);
  const whole = parsed(options);
  const nameEnd = AT.extensionLength + 2 + serverNameData("a.example").length;

  test("gives, at every length, what is there, and no part of a name", () => {
    for (let end = 0; end <= body.length; end++) {
      const hello = parseClientHello(body.subarray(0, end), { cut: true });
      if (end < AT.compression) {
        expect([end, hello]).toEqual([end, null]);
        continue;
      }
      expect([end, hello?.isCut]).toEqual([end, true]);
      expect([end, hello?.serverName]).toEqual([end, end < nameEnd ? null : "a.example"]);
      expect(["h2", "http/1.1"].slice(0, hello?.alpn.length)).toEqual(hello?.alpn ?? []);
      expect(whole.extensions.slice(0, hello?.extensions.length)).toEqual(hello?.extensions ?? []);
    }
    expect(parseClientHello(body, { cut: true })).toEqual({ ...whole, isCut: true });
  });

  test("is still none with a session ID of 33 bytes", () => {
    expect(parseClientHello(bodyOf({ sessionId: pattern(33) }), { cut: true })).toBeNull();
  });

  test("can be salvaged from a stream", () => {
    const stream = tlsRecords(clientHello(options), 40);
    expect(salvageClientHello(stream)).toEqual(whole);
    expect(salvageClientHello(stream.subarray(0, 95))).toMatchObject({
      serverName: "a.example",
      isCut: true,
    });
    expect(salvageClientHello(stream.subarray(0, 45))).toBeNull();
    expect(salvageClientHello(tlsRecord(handshake(2, body)))).toBeNull();
  });
});

describe("a stream", () => {
  const message = clientHello({ serverName: "a.example" });

  test("gives the hello and how many bytes it took", () => {
    const stream = tlsRecords(message, 10);
    const value = parsed({ serverName: "a.example" });
    const next = concat(stream, tlsRecord(bytes(1), 20));
    expect(readClientHello(next)).toEqual({ state: "found", value, used: stream.length });
    expect(readClientHello(stream.subarray(0, -1))).toEqual(MORE);
  });

  test("that starts with something else is none", () => {
    expect(readClientHello(ascii("SSH-2.0-OpenSSH_9.6\r\n"))).toEqual(NO);
    expect(readClientHello(tlsRecord(handshake(2, message)))).toEqual(NO);
  });

  test("with a hello over 16 KiB gives its first 16 KiB", () => {
    const extensions = [{ type: 0xaaa0, data: pattern(20_000) }];
    const long = readClientHello(tlsRecords(clientHello({ serverName: "a.example", extensions }), 16_384));
    expect(long).toMatchObject({ state: "found", value: { serverName: "a.example", isCut: true } });
  });

  test("of any bytes behind a plausible start neither throws nor hangs", () => {
    const stream = tlsRecords(
      clientHello({ serverName: "a.example", alpn: ["h2"], signatureAlgorithms: [0x0403] }),
    );
    for (let at = 5; at < stream.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const { state } = readClientHello(withByte(stream, at, value));
        expect(["found", "more", "no", "bad"]).toContain(state);
      }
    }
  });
});

describe("versions", () => {
  test.each([
    [0x0002, "SSL 2.0"],
    [0x0300, "SSL 3.0"],
    [0x0301, "TLS 1.0"],
    [0x0303, "TLS 1.2"],
    [0x0304, "TLS 1.3"],
    [0x7f1c, "TLS 1.3"],
    [0xfb1a, "TLS 1.3"],
    [0xfefd, "DTLS 1.2"],
    [0x1234, "0x1234"],
    [0x0005, "0x0005"],
  ])("%p is %s", (version, name) => {
    expect(tlsVersionName(version)).toBe(name);
  });

  test("the highest one is that of supported_versions", () => {
    expect(highestVersion(parsed({ versions: [0x0302, 0x0304, 0x0303], greaseFirst: true }))).toBe(0x0304);
    expect(highestVersion(parsed({ versions: [0x0301], legacyVersion: 0x0303 }))).toBe(0x0301);
  });

  test("the highest one is the hello's own without supported_versions", () => {
    expect(highestVersion(parsed({ versions: [], legacyVersion: 0x0302 }))).toBe(0x0302);
  });
});
