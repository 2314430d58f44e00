import { describe, expect, test } from "bun:test";
import { BAD, MORE, NO } from "../../../src/inspect/reading.ts";
import { partOfHandshake, readHandshake } from "../../../src/inspect/tls-records.ts";
import { isSslv2Hello } from "../../../src/inspect/tls-sslv2.ts";
import { concat, fields, pattern } from "../../support/bytes.ts";
import { handshake, tlsRecord, tlsRecords } from "../../support/tls.ts";

const TYPE = 1;
const body = pattern(300, 1);
const message = handshake(TYPE, body);
const bytes = (...values: number[]) => Uint8Array.from(values);

function foundBody(stream: Uint8Array) {
  const reading = readHandshake(stream, TYPE);
  if (reading.state !== "found") throw new Error(`state is ${reading.state}`);
  return reading;
}

describe("a message", () => {
  test.each([
    ["one record", []],
    ["records of one byte", 1],
    ["records that cut its header", [1, 2, 3]],
    ["records with empty ones between", [0, 0, 4, 0, 100, 0]],
  ])("in %s is put together", (_, sizes) => {
    const stream = tlsRecords(message, sizes);
    const reading = foundBody(stream);
    expect(reading.value.body).toEqual(body);
    expect(reading.value.isCut).toBe(false);
    expect(reading.used).toBe(stream.length);
  });

  test("needs every byte, at every place where the stream may end", () => {
    const stream = tlsRecords(message, 7);
    for (let end = 0; end < stream.length; end++) {
      expect(readHandshake(stream.subarray(0, end), TYPE)).toEqual(MORE);
    }
  });

  test("ends where it says, in a record that holds another one too", () => {
    const record = tlsRecord(concat(message, handshake(4, pattern(50))));
    const stream = concat(record, tlsRecord(pattern(5), 23));
    const reading = foundBody(stream);
    expect(reading.value.body).toEqual(body);
    expect(reading.used).toBe(record.length);
  });

  test("is found before the rest of its last record is there", () => {
    const whole = tlsRecord(concat(message, handshake(4, pattern(50))));
    const stream = whole.subarray(0, 5 + message.length + 3);
    expect(foundBody(stream).used).toBe(stream.length);
  });

  test("of over 16 KiB is found cut, as soon as 16 KiB are there", () => {
    const long = pattern(20_000);
    const stream = tlsRecords(handshake(TYPE, long), 5000);
    const enough = 4 * 5 + 4 + 16_384;
    expect(readHandshake(stream.subarray(0, enough - 1), TYPE)).toEqual(MORE);
    expect(foundBody(stream.subarray(0, enough)).value).toEqual({
      body: long.subarray(0, 16_384),
      isCut: true,
    });
  });

  test.each([
    ["shorter than any hello", 37],
    ["longer than any hello", 131_397],
  ])("%s is bad", (_, length) => {
    const header = bytes(TYPE, length >> 16, (length >> 8) & 0xff, length & 0xff);
    expect(readHandshake(tlsRecord(header), TYPE)).toEqual(BAD);
  });

  test("that is as long as a hello can be is not bad", () => {
    expect(readHandshake(tlsRecord(bytes(TYPE, 0x02, 0x01, 0x44)), TYPE)).toEqual(MORE);
  });
});

describe("another protocol", () => {
  test.each([
    ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\n")],
    ["application data", tlsRecord(message, 23)],
    ["an alert", tlsRecord(bytes(2, 40), 21)],
    ["SSL 2.0 in the record layer", tlsRecord(message, 22, 0x0200)],
    ["a minor version that nobody has defined", tlsRecord(message, 22, 0x0305)],
    ["a record longer than TLS allows", bytes(22, 3, 1, 0x41, 0x01)],
    ["another message", tlsRecord(handshake(2, body))],
    ["another message, its first byte alone", bytes(22, 3, 1, 0, 100, 2)],
    ["a first byte alone", bytes(0x47)],
    ["two bytes", bytes(22, 2)],
  ])("%s is no handshake", (_, stream) => {
    expect(readHandshake(stream, TYPE)).toEqual(NO);
    expect(partOfHandshake(stream, TYPE)).toBeNull();
  });

  test.each([0x0300, 0x0301, 0x0302, 0x0303, 0x0304])("record version %p is taken", (version) => {
    expect(foundBody(tlsRecord(message, 22, version)).value.body).toEqual(body);
  });

  test("a record of the greatest length is taken", () => {
    expect(readHandshake(bytes(22, 3, 1, 0x41, 0x00), TYPE)).toEqual(MORE);
  });
});

describe("records that do not go on as a handshake", () => {
  const start = tlsRecord(message.subarray(0, 100));

  test.each([
    ["another content type", tlsRecord(bytes(1), 20)],
    ["an alert in the middle", tlsRecord(bytes(1, 0), 21)],
    ["no record", pattern(40)],
  ])("%s is bad", (_, next) => {
    expect(readHandshake(concat(start, next), TYPE)).toEqual(BAD);
    expect(partOfHandshake(concat(start, next), TYPE)).toBeNull();
  });

  test("more than 32 empty ones are bad, so many are not", () => {
    const empty = (count: number) => concat(...Array.from({ length: count }, () => tlsRecord(bytes())));
    expect(foundBody(concat(empty(32), tlsRecord(message))).value.body).toEqual(body);
    expect(readHandshake(concat(empty(33), tlsRecord(message)), TYPE)).toEqual(BAD);
  });
});

test("the part of a message that is there, whole or not", () => {
  const stream = tlsRecords(message, [50, 100]);
  expect(partOfHandshake(stream.subarray(0, 5 + 50 + 5 + 20), TYPE)).toEqual({
    body: body.subarray(0, 50 + 20 - 4),
    isCut: true,
  });
  expect(partOfHandshake(stream, TYPE)).toEqual({ body, isCut: false });
  expect(partOfHandshake(bytes(), TYPE)).toEqual({ body: bytes(), isCut: true });
});

describe("a hello of SSL 2.0", () => {
  function sslv2(change: {
    type?: number;
    version?: number;
    ciphers?: number;
    sessionId?: number;
    challenge?: number;
  }) {
    const { type = 1, version = 0x0301, ciphers = 9, sessionId = 0, challenge = 16 } = change;
    const length = 9 + ciphers + sessionId + challenge;
    const lengths = fields([ciphers, 2], [sessionId, 2], [challenge, 2]);
    return concat(fields([0x8000 + length, 2], [type, 1], [version, 2]), lengths, pattern(length - 9));
  }

  test.each([0x0002, 0x0300, 0x0303])("of version %p is one", (version) => {
    expect(isSslv2Hello(sslv2({ version }))).toBe(true);
    expect(readHandshake(sslv2({ version }), TYPE)).toEqual(NO);
  });

  test("may have a session ID of 16 bytes and be there in part", () => {
    expect(isSslv2Hello(sslv2({ sessionId: 16, challenge: 32 }).subarray(0, 11))).toBe(true);
  });

  test.each([
    ["another message", sslv2({ type: 4 })],
    ["another version", sslv2({ version: 0x0200 })],
    ["no ciphers", sslv2({ ciphers: 0 })],
    ["a part of a cipher", sslv2({ ciphers: 10 })],
    ["a session ID of another length", sslv2({ sessionId: 8 })],
    ["a short challenge", sslv2({ challenge: 15 })],
    ["a long challenge", sslv2({ challenge: 33 })],
    ["lengths that do not add up", concat(bytes(0x80, 0x30), sslv2({}).subarray(2))],
    ["no high bit", concat(bytes(0x00), sslv2({}).subarray(1))],
    ["too few bytes", sslv2({}).subarray(0, 10)],
  ])("with %s is none", (_, stream) => {
    expect(isSslv2Hello(stream)).toBe(false);
  });
});
