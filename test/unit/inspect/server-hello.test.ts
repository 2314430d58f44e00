import { describe, expect, test } from "bun:test";
import { BAD, MORE, NO } from "../../../src/inspect/reading.ts";
import { parseServerHello, readServerHello } from "../../../src/inspect/server-hello.ts";
import { concat, fields, pattern } from "../../support/bytes.ts";
import { clientHello, handshake, serverHello, tlsRecord, tlsRecords } from "../../support/tls.ts";

const HEADER = 4;
const bytes = (...values: number[]) => Uint8Array.from(values);
const warning = tlsRecord(bytes(1, 112), 21);
const fatal = tlsRecord(bytes(2, 40), 21);

describe("a server's hello", () => {
  test.each([
    ["TLS 1.3", { version: 0x0304, cipher: 0x1302 }, { version: 0x0304, cipher: 0x1302, alpn: null }],
    ["a draft of it", { version: 0x7f1c }, { version: 0x7f1c, cipher: 0x1301, alpn: null }],
    ["TLS 1.2", { cipher: 0xc02f, alpn: "h2" }, { version: 0x0303, cipher: 0xc02f, alpn: "h2" }],
    ["TLS 1.0", { legacyVersion: 0x0301, cipher: 0x002f }, { version: 0x0301, cipher: 0x002f, alpn: null }],
  ])("says %s", (_, options, expected) => {
    const stream = tlsRecords(serverHello(options));
    expect(readServerHello(stream)).toEqual({
      state: "found",
      value: { ...expected, isRetryRequest: false },
      used: stream.length,
    });
  });

  test("may ask for another hello", () => {
    const body = serverHello({ version: 0x0304, isRetryRequest: true }).subarray(HEADER);
    expect(parseServerHello(body)).toMatchObject({ version: 0x0304, isRetryRequest: true });
  });

  test("of an old draft of TLS 1.3 has neither session ID nor compression method", () => {
    const body = concat(fields([0x7f12, 2]), pattern(32), fields([0x1301, 2], [0, 2]));
    const expected = { version: 0x7f12, cipher: 0x1301, alpn: null, isRetryRequest: false };
    expect(parseServerHello(body)).toEqual(expected);
  });

  test("may end without extensions", () => {
    const body = concat(fields([0x0300, 2]), pattern(32), fields([0, 1], [0x000a, 2], [0, 1]));
    expect(parseServerHello(body)).toMatchObject({ version: 0x0300, cipher: 0x000a });
  });

  test("is whole or none", () => {
    const body = serverHello({ version: 0x0304 }).subarray(HEADER);
    const fixed = 2 + 32 + 33 + 2 + 1;
    for (let end = 0; end < body.length; end++) {
      expect([end, parseServerHello(body.subarray(0, end)) === null]).toEqual([end, end !== fixed]);
    }
  });

  test("is none with another version or a long session ID", () => {
    const body = serverHello().subarray(HEADER);
    expect(parseServerHello(concat(bytes(2), body.subarray(1)))).toBeNull();
    const long = concat(
      fields([0x0303, 2]),
      pattern(32),
      fields([33, 1]),
      pattern(33),
      fields([0x1301, 2], [0, 1]),
    );
    expect(parseServerHello(long)).toBeNull();
  });
});

describe("a server's stream", () => {
  const hello = tlsRecords(serverHello({ version: 0x0304 }), [9, 20]);

  test("goes on behind warnings", () => {
    const stream = concat(warning, warning, hello);
    expect(readServerHello(stream)).toMatchObject({ state: "found", used: stream.length });
    expect(readServerHello(concat(warning, warning, warning, warning, warning, hello))).toEqual(NO);
  });

  test("may end anywhere before the hello does", () => {
    const stream = concat(warning, hello);
    for (let end = 0; end < stream.length; end++) {
      expect([end, readServerHello(stream.subarray(0, end))]).toEqual([end, MORE]);
    }
  });

  test.each([
    ["a fatal alert", fatal],
    ["a fatal alert behind a warning", concat(warning, fatal)],
    ["a client's hello", tlsRecords(clientHello())],
    ["HTTP", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n")],
  ])("with %s has none", (_, stream) => {
    expect(readServerHello(stream)).toEqual(NO);
  });

  test("with a hello of nonsense is bad", () => {
    expect(readServerHello(tlsRecord(handshake(2, new Uint8Array(50))))).toEqual(BAD);
  });
});
