import { expect, test } from "bun:test";
import { readHttpRequest } from "../../../src/inspect/http.ts";
import { concat, pattern } from "../../support/bytes.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const request = (text: string) => readHttpRequest(bytes(text));
const get = (...fields: string[]) => ["GET /a?b HTTP/1.1", ...fields, "", ""].join("\r\n");

function hostOf(text: string): string | null | undefined {
  const reading = request(text);
  return reading.state === "found" ? reading.value.host : undefined;
}

test.each([
  ["a plain Host", get("Host: Example.COM"), "example.com"],
  ["white space around it", get("hOST:\t example.com \t"), "example.com"],
  ["no white space", get("Host:example.com"), "example.com"],
  ["white space before the colon", get("Host : example.com"), "example.com"],
  ["a port", get("Host: example.com:8080"), "example.com"],
  ["an empty port", get("Host: example.com:"), "example.com"],
  ["a final dot", get("Host: example.com."), "example.com"],
  ["a name folded under its field", get("Host:", " example.com", "Accept: */*"), "example.com"],
  ["the first of two", get("Host: one.example", "Host: two.example"), "one.example"],
  [
    "other fields before",
    get("Cookie: Host: no.example", "X-Host: no.example", "Host: a_b.example"),
    "a_b.example",
  ],
  ["bare line feeds", "GET / HTTP/1.0\nHost: example.com\n\n", "example.com"],
  ["a method nobody knows", "Frob~1 * HTTP/1.1\r\nHost: example.com\r\n\r\n", "example.com"],
  ["spaces in the target", "GET /a b c HTTP/1.1\r\nHost: example.com\r\n\r\n", "example.com"],
  ["a line without colon", get("nonsense", "Host: example.com"), "example.com"],
  ["a name in UTF-8", get("Host: b\xc3\xbccher.example"), "bücher.example"],
])("finds the host: %s", (_, text, host) => {
  expect(hostOf(text)).toBe(host);
});

test.each([
  ["no Host", get("Accept: */*")],
  ["an empty Host", get("Host:")],
  ["an IPv4 address", get("Host: 192.0.2.1:80")],
  ["an IPv6 address", get("Host: [2001:db8::1]:8080")],
  ["two names", get("Host: one.example two.example")],
  ["a Host folded in two", get("Host: one.example", "\ttwo.example")],
  ["a path", get("Host: example.com/x")],
  ["a control", get("Host: exam\x00ple.com")],
  ["a name too long to be one", get(`Host: ${"a".repeat(256)}`)],
])("has no name: %s", (_, text) => {
  expect(hostOf(text)).toBeNull();
});

test.each([
  ["GET http://target.example:81/x HTTP/1.1", "target.example"],
  ["GET HTTPS://target.example?q HTTP/1.1", "target.example"],
  ["GET http://user:secret@target.example/ HTTP/1.1", "target.example"],
  ["GET http://192.0.2.1/ HTTP/1.1", null],
  ["GET /http://target.example/ HTTP/1.1", "field.example"],
  ["OPTIONS * HTTP/1.1", "field.example"],
])("the authority of an absolute target goes before the Host field: %s", (line, host) => {
  expect(hostOf(`${line}\r\nHost: field.example\r\n\r\n`)).toBe(host);
});

test("never tells user information, target or other fields", () => {
  const text =
    "GET http://user:secret@h.example/secret HTTP/1.1\r\nCookie: secret\r\nHost: a:secret@b.example\r\n\r\n";
  expect(JSON.stringify(request(text))).not.toContain("secret");
});

test("is found as soon as the Host field is whole", () => {
  const text = get("Host: example.com", "Accept: */*");
  const needed = text.indexOf("Accept") + 1;
  expect(request(text.slice(0, needed - 1))).toEqual({ state: "more" });
  expect(request(text.slice(0, needed))).toEqual({
    state: "found",
    value: { host: "example.com", isConnect: false, isUpgradeH2c: false },
    used: needed - 1,
  });
  expect(request(text)).toMatchObject({ used: text.length });
});

test("CONNECT is found when its head has ended, with the host of its target", () => {
  const text = "CONNECT target.example:443 HTTP/1.1\r\nHost: field.example\r\n\r\n";
  for (let length = 0; length < text.length; length++) {
    expect(request(text.slice(0, length))).toEqual({ state: "more" });
  }
  expect(request(`${text}\x16\x03`)).toEqual({
    state: "found",
    value: { host: "target.example", isConnect: true, isUpgradeH2c: false },
    used: text.length,
  });
});

test.each([
  ["h2c", true],
  ["websocket, H2C", true],
  ["h2c-14", false],
  ["websocket", false],
])("an upgrade to %s is one to h2c: %p", (upgrade, isUpgradeH2c) => {
  expect(request(get("Host: a.example", `Upgrade: ${upgrade}`))).toMatchObject({ value: { isUpgradeH2c } });
});

test.each([
  ["HTTP/0.9", "GET /\r\n"],
  ["a response", "HTTP/1.1 200 OK\r\n\r\n"],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\n"],
  ["RTSP", "DESCRIBE rtsp://a/b RTSP/1.0\r\n"],
  ["SIP", "OPTIONS sip:a@example.com SIP/2.0\r\n"],
  ["SMTP", "EHLO a.example\r\n"],
  ["SSH", "SSH-2.0-x\r\n"],
  ["TLS", "\x16\x03\x01"],
  ["a space first", " GET / HTTP/1.1\r\n"],
  ["no space behind the token", "GET\t/"],
  ["a control in the line", "GET /\x01"],
  ["a carriage return within the line", "GET /\rx"],
  ["no target", "GET HTTP/1.1\r\n"],
  ["a token too long to be a method", "A".repeat(33)],
  ["a long line of an unknown method", `Frob ${"a".repeat(3000)}`],
])("is not HTTP/1: %s", (_, text) => {
  expect(request(text)).toEqual({ state: "no" });
});

test("a head that goes on past 16 KiB without a host is bad, one with a host is not", () => {
  const filler = `X: ${"a".repeat(16_384)}`;
  expect(request(get(filler, "Host: example.com"))).toEqual({ state: "bad" });
  expect(request(`GET /${filler}`)).toEqual({ state: "bad" });
  expect(hostOf(get("Host: example.com", filler))).toBe("example.com");
});

test("bytes of any kind end in a reading", () => {
  for (let seed = 0; seed < 256; seed++) {
    const hostile = concat(bytes("GET / HTTP/1.1\r\n"), pattern(300, seed));
    expect(["more", "found"]).toContain(readHttpRequest(hostile).state);
  }
});
