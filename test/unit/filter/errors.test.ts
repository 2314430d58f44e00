import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../src/errors.ts";
import { FilterError, formatFilterError } from "../../../src/filter/errors.ts";
import { MAX_FILTER, parseFilter } from "../../../src/filter/parse.ts";
import { MAX_DEPTH, MAX_TESTS } from "../../../src/filter/terms.ts";

function errorOf(text: string): FilterError {
  try {
    parseFilter(text);
  } catch (error) {
    if (error instanceof FilterError) return error;
    throw error;
  }
  throw new Error(`${text} is understood`);
}

describe("an error says what is wrong and where", () => {
  test.each<[text: string, wrong: string, problem: string]>([
    ["prto tcp", "prto", '"prto" is not known; did you mean proto?'],
    ["port 80 or prto udp", "prto", "did you mean proto?"],
    ["domain a.com or prt 80", "prt", "did you mean port?"],
    ["x", "x", '"x" is not known; a test is expected, such as host 10.0.0.0/8'],
    ["10.0.0.1", "10.0.0.1", "write: host 10.0.0.1"],
    ["443", "443", "write: port 443"],
    ["github.com", "github.com", "write: domain github.com"],
    ["port != 443 or 80", "80", "write: port 80"],
    ["tcp and 10.0.0.1", "10.0.0.1", "write: host 10.0.0.1"],
    ["host", "", "the filter ends too early; expected an address or network, such as 192.0.2.7"],
    ["host  ", "", "the filter ends too early"],
    ["host github.com", "github.com", "for a name write: domain github.com"],
    ["host 10.0.0.0/33", "10.0.0.0/33", '"10.0.0.0/33" is not an address or network'],
    ["host 10.0.0", "10.0.0", "is not an address or network"],
    ["host fe80::1%eth0", "fe80::1%eth0", "is not an address or network"],
    ["host < 10.0.0.1", "<", '"<" is for numbers and ports; here write = or !=, or nothing'],
    ["src", "", "expected an address or one of host, net, port, portrange"],
    ["src proto tcp", "proto", '"proto" cannot stand here; expected an address or one of host, net'],
    ["port 65536", "65536", "the highest port is 65535"],
    ["port 90-80", "90-80", "write the lower port first"],
    ["port > 65535", "65535", "no port is > 65535"],
    ["port < 0", "0", "no port is < 0"],
    ["port > 80-90", "80-90", "is a range: write it with = or !="],
    ["port htps", "htps", "did you mean https?"],
    ["port constructor", "constructor", "is not a port"],
    ["port and 443", "and", '"and" cannot stand here; expected a port'],
    ["port (80 or", "", "expected a port"],
    ["port (80", "", 'expected "or" or )'],
    ["port (80 and 443)", "and", 'expected "or" or )'],
    ["proto tpc", "tpc", "did you mean tcp?"],
    ["proto 256", "256", "is not a protocol"],
    ["dir sideways", "sideways", "is not ingress or egress"],
    ["domain *.*.com", "*.*.com", "is not a domain name"],
    ["source tls", "tls", "is not one of sni, quic, http, dns, ptr, none"],
    ["ja4 a-b", "a-b", "is not a JA4 fingerprint"],
    ["state estblished", "estblished", "did you mean established?"],
    ["bytes 1M", "1M", "expected one of = != < <= > >="],
    ["bytes >", "", "expected a number of bytes"],
    ["bytes > 1X", "1X", "is not a number of bytes"],
    ["bytes > -1", "-1", "is not a number of bytes"],
    ["bytes > 99999999T", "99999999T", "is not a number of bytes"],
    ["packets > tcp", "tcp", "is not a number of packets"],
    ["rtt > 20", "20", "is not a duration with its unit, such as 20ms"],
    ['alpn ""', '""', "is not a protocol of ALPN"],
    ["host 1.2.3.4 nad tcp", "nad", 'expected "and", "or" or the end; did you mean and?'],
    ["host 1.2.3.4 port 80", "port", 'expected "and", "or" or the end'],
    ["tcp udp", "udp", 'expected "and", "or" or the end'],
    ["(tcp", "", 'expected "and", "or" or )'],
    ["(tcp port", "", "expected a port"],
    ["tcp)", ")", ") closes nothing"],
    ["()", ")", "expected a test"],
    ["not", "", "expected a test"],
    ["tcp and or udp", "or", '"or" cannot stand here; expected a test'],
    ['domain "abc', '"abc', "this quote is not closed"],
    ["tcp & udp", "&", "write and or &&"],
    ["tcp | udp", "|", "write or or ||"],
    ["tcp \u0007", "\u0007", '"\\u{7}" cannot be in a filter'],
    ["host \u0000", "\u0000", '"\\u{0}" cannot be in a filter'],
  ])("%j", (text, wrong, problem) => {
    const error = errorOf(text);
    expect(error.problem).toContain(problem);
    expect(text.slice(error.at, error.at + error.length)).toBe(wrong);
    expect(error.at).toBe(wrong === "" ? text.trimEnd().length : text.lastIndexOf(wrong));
    expect(error.text).toBe(text);
    expect(error.message).toBe(`at character ${error.at + 1}: ${error.problem}`);
  });
});

test("it is an error of usage", () => {
  const error = errorOf("prto tcp");
  expect(error).toBeInstanceOf(UsageError);
  expect(error.exitCode).toBe(2);
  expect(error.problems).toEqual([error.message]);
});

describe("the line below", () => {
  test.each([
    ["tcp and prto udp", "  tcp and prto udp\n          ^^^^"],
    ["tcp and", "  tcp and\n         ^"],
    ["host 1.2.3.4 \t and nonsense", "  host 1.2.3.4 \\u{9} and nonsense\n                         ^^^^^^^^"],
    [
      "domain \u{1f600}.com and \u202enonsense",
      "  domain \u{1f600}.com and \\u{202e}nonsense\n                    ^^^^^^^^^^^^^^^^",
    ],
  ])("%j", (text, lines) => {
    const error = errorOf(text);
    expect(formatFilterError(error)).toBe(`${error.message}\n${lines}`);
  });

  test("shows the part of a long filter around the error", () => {
    const many = Array.from({ length: 100 }, () => "tcp").join(" or ");
    const error = errorOf(`${many} or nonsense or ${many}`);
    const [, line = "", carets = ""] = formatFilterError(error).split("\n");
    expect(line.length).toBeLessThan(90);
    expect(line).toMatch(/^ {2}\.\.\..*\.\.\.$/);
    expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("nonsense");
  });

  test("stays short for a long word", () => {
    const formatted = formatFilterError(errorOf(`${"x".repeat(2000)} or tcp`));
    for (const line of formatted.split("\n")) expect(line.length).toBeLessThan(200);
  });

  test("can be had of the text of a filter for an error of its tree", () => {
    const error = new FilterError("not so", 4, 3, "");
    expect(formatFilterError(error)).toBe(error.message);
    expect(formatFilterError(error, "not tcp")).toBe(`${error.message}\n  not tcp\n      ^^^`);
  });
});

describe("bounds", () => {
  test("length", () => {
    expect(parseFilter("tcp".padEnd(MAX_FILTER))).not.toBeNull();
    expect(errorOf("tcp".padEnd(MAX_FILTER + 1)).problem).toBe(
      "the filter is 4097 characters long; at most 4096 are read",
    );
    expect(errorOf("(".repeat(5_000_000)).at).toBe(MAX_FILTER);
  });

  test.each([
    ["(", ")"],
    ["not ", ""],
    ["!", ""],
  ])("depth of %p", (open, close) => {
    const nested = (depth: number) => `${open.repeat(depth)}tcp${close.repeat(depth)}`;
    expect(parseFilter(nested(MAX_DEPTH))).not.toBeNull();
    const error = errorOf(nested(MAX_DEPTH + 1));
    expect(error.problem).toBe("nested more than 64 deep");
    expect(error.at).toBe(open.length * MAX_DEPTH);
    expect(errorOf(nested(4000 / (open.length + close.length))).problem).toBe("nested more than 64 deep");
  });

  test("depth is that of what is open, not of what was", () => {
    const terms = Array.from({ length: 200 }, () => "!(tcp)");
    expect(parseFilter(terms.join("||"))).not.toBeNull();
  });

  test("number of tests", () => {
    const some = (count: number) => Array.from({ length: count }, () => "tcp").join("||");
    expect(parseFilter(some(MAX_TESTS))).not.toBeNull();
    expect(errorOf(some(MAX_TESTS + 1)).problem).toBe("more than 256 tests");
    expect(errorOf(`port (${Array.from({ length: 300 }, () => "1").join("||")})`).problem).toBe(
      "more than 256 tests",
    );
  });
});
