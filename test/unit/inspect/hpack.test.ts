import { expect, test } from "bun:test";
import { HpackDecoder } from "../../../src/inspect/hpack.ts";
import { decodeHuffman } from "../../../src/inspect/hpack-huffman.ts";
import { pattern } from "../../support/bytes.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** Fields of a block as `name: value`; null when the block is refused. */
function decode(decoder: HpackDecoder, block: string): string[] | null {
  const fields: string[] = [];
  const isValid = decoder.decode(hex(block), ({ name, value }) => {
    fields.push(`${name}: ${Buffer.from(value).toString("latin1")}`);
  });
  return isValid ? fields : null;
}

const FIRST_REQUEST = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const SECOND_REQUEST = [...FIRST_REQUEST, "cache-control: no-cache"];
const THIRD_REQUEST = [
  ":method: GET",
  ":scheme: https",
  ":path: /index.html",
  ":authority: www.example.com",
  "custom-key: custom-value",
];
const FIRST_RESPONSE = [
  ":status: 302",
  "cache-control: private",
  "date: Mon, 21 Oct 2013 20:13:21 GMT",
  "location: https://www.example.com",
];
const SECOND_RESPONSE = [":status: 307", ...FIRST_RESPONSE.slice(1)];
const THIRD_RESPONSE = [
  ":status: 200",
  "cache-control: private",
  "date: Mon, 21 Oct 2013 20:13:22 GMT",
  "location: https://www.example.com",
  "content-encoding: gzip",
  "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
];

test.each([
  [
    "C.2.1, a literal that is indexed",
    "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
    "custom-key: custom-header",
  ],
  ["C.2.2, a literal that is not", "040c2f73616d706c652f70617468", ":path: /sample/path"],
  ["C.2.3, one that never is", "100870617373776f726406736563726574", "password: secret"],
  ["C.2.4, an index", "82", ":method: GET"],
])("RFC 7541 %s", (_, block, field) => {
  expect(decode(new HpackDecoder(), block)).toEqual([field]);
});

test("RFC 7541 C.3, requests without Huffman coding", () => {
  const decoder = new HpackDecoder();
  expect(decode(decoder, "828684410f7777772e6578616d706c652e636f6d")).toEqual(FIRST_REQUEST);
  expect(decode(decoder, "828684be58086e6f2d6361636865")).toEqual(SECOND_REQUEST);
  expect(decode(decoder, "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565")).toEqual(
    THIRD_REQUEST,
  );
});

test("RFC 7541 C.4, requests with Huffman coding", () => {
  const decoder = new HpackDecoder();
  expect(decode(decoder, "828684418cf1e3c2e5f23a6ba0ab90f4ff")).toEqual(FIRST_REQUEST);
  expect(decode(decoder, "828684be5886a8eb10649cbf")).toEqual(SECOND_REQUEST);
  expect(decode(decoder, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")).toEqual(THIRD_REQUEST);
});

test("RFC 7541 C.6, responses with a table of 256 bytes that evicts", () => {
  const decoder = new HpackDecoder(256);
  const first =
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3";
  const third =
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f36" +
    "72c1ab270fb5291f9587316065c003ed4ee5b1063d5007";
  expect(decode(decoder, first)).toEqual(FIRST_RESPONSE);
  expect(decode(decoder, "4883640effc1c0bf")).toEqual(SECOND_RESPONSE);
  expect(decode(decoder, third)).toEqual(THIRD_RESPONSE);
});

test("a size update empties the table, and a larger one lets it grow again", () => {
  const decoder = new HpackDecoder();
  expect(decode(decoder, "4001610162")).toEqual(["a: b"]);
  expect(decode(decoder, "be")).toEqual(["a: b"]);
  expect(decode(decoder, "20")).toEqual([]);
  expect(decode(decoder, "be")).toBeNull();
  expect(decode(new HpackDecoder(), "20 3fe11f 4001610162 be")).toEqual(["a: b", "a: b"]);
});

test("an entry larger than the table empties it", () => {
  const decoder = new HpackDecoder(40);
  expect(decode(decoder, "4001610162")).toEqual(["a: b"]);
  expect(decode(decoder, `4001610a${"62".repeat(10)}`)).toEqual([`a: ${"b".repeat(10)}`]);
  expect(decode(decoder, "be")).toBeNull();
});

test("the table keeps its own copy of a value", () => {
  const decoder = new HpackDecoder();
  const block = hex("4001610162");
  decoder.decode(block, () => {});
  block.fill(0);
  expect(decode(decoder, "be")).toEqual(["a: b"]);
});

test("a length that needs more than one byte", () => {
  expect(decode(new HpackDecoder(), `0001617fb202${"62".repeat(433)}`)).toEqual([`a: ${"b".repeat(433)}`]);
});

test.each([
  ["index 0", "80"],
  ["an index beyond both tables", "be"],
  ["a cut literal", "4003616263 05 6162"],
  ["a cut integer", "ff"],
  ["an integer without end", "ffffffffffffffff"],
  ["a table larger than browsers allow", "3fe2ff03"],
  ["Huffman padding of zeros", "0001618100"],
])("refuses %s", (_, block) => {
  expect(decode(new HpackDecoder(), block)).toBeNull();
});

test("tells the fields before the place that is malformed", () => {
  const names: string[] = [];
  expect(new HpackDecoder().decode(hex("8280"), ({ name }) => names.push(name))).toBe(false);
  expect(names).toEqual([":method"]);
});

/** Codes from the table of RFC 7541 appendix B, padded with ones. */
test.each([
  ["0", "07"],
  ["t", "4f"],
  [" ", "53"],
  [":", "b9"],
  ["&", "f8"],
  ["!", "fe3f"],
  ["#", "ffaf"],
  ["\0", "ffc7"],
  ["^", "fff3"],
  ["<", "fff9"],
  ["\\", "fffe1f"],
  ["\x80", "fffe6f"],
  ["\x99", "fffee7"],
  ["\x81", "ffff4b"],
  ["\x01", "ffffb1"],
  ["\t", "ffffea"],
  ["\xc7", "fffff67f"],
  ["\xc0", "fffff83f"],
  ["\xcb", "fffffbdf"],
  ["\x02", "fffffe2f"],
  ["\xf9", "ffffffef"],
  ["\n", "fffffff3"],
  ["\x16", "fffffffb"],
])("the Huffman code of %p is %s", (text, code) => {
  expect(Buffer.from(decodeHuffman(hex(code)) ?? []).toString("latin1")).toBe(text);
});

test.each([
  ["EOS", "ffffffff"],
  ["eight bits of padding", "07ff"],
  ["a cut code", "ff"],
])("a string coded as %s is refused", (_, code) => {
  expect(decodeHuffman(hex(code))).toBeNull();
});

test("bytes of any kind end in fields or a refusal", () => {
  for (let seed = 0; seed < 256; seed++) {
    const decoder = new HpackDecoder();
    let fields = 0;
    decoder.decode(pattern(400, seed), () => fields++);
    expect(fields).toBeLessThanOrEqual(400);
  }
});
