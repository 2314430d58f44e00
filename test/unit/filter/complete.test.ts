import { describe, expect, test } from "bun:test";
import { completeFilter } from "../../../src/filter/complete.ts";
import { FilterError } from "../../../src/filter/errors.ts";
import { parseFilter } from "../../../src/filter/parse.ts";

const VALUES = {
  interface: ["eth0", "lo"],
  domain: ["github.com", "api.github.com", "none"],
  address: ["10.0.0.1", "2001:db8::1"],
  port: ["8443"],
};

/** The completions at `|`. */
function at(text: string): string[] {
  const cursor = text.indexOf("|");
  return completeFilter(text.replace("|", ""), cursor, VALUES).map((each) => each.text);
}

describe("what may come", () => {
  test.each<[string, string[]]>([
    ["ho|", ["host"]],
    ["IF|", ["iface"]],
    ["host |", ["10.0.0.1", "2001:db8::1"]],
    ["host 2|", ["2001:db8::1"]],
    ["src |", ["10.0.0.1", "2001:db8::1", "host", "net", "port", "portrange"]],
    ["src p|", ["port", "portrange"]],
    ["port 8|", ["8443"]],
    ["port (ss|", ["ssh"]],
    ["port (ssh |", ["or", ")"]],
    ["port (ssh or tel|", ["telnet"]],
    ["iface |", ["eth0", "lo"]],
    ["iface != |", ["eth0", "lo"]],
    ["domain git|", ["github.com", "api.github.com"]],
    ["domain *.gi|", ["*.github.com", "*.api.github.com"]],
    ["domain no|", ['"none"', "none"]],
    ["proto ud|", ["udp", "udplite"]],
    ["dir |", ["ingress", "egress"]],
    ["source |", ["sni", "quic", "http", "dns", "ptr", "none"]],
    ["state syn|", ["syn_sent", "syn_received"]],
    ["bytes |", ["=", "!=", "<", "<=", ">", ">="]],
    ["bytes > |", []],
    ["tcp |", ["and", "or", "host", "net", "port", "portrange", "src", "dst", "client", "server"]],
    ["tcp port ht|", ["http", "https", "http-alt"]],
    ["host 10.0.0.1 |", ["and", "or"]],
    ["host 10.0.0.1 a|", ["and"]],
    ["(host 10.0.0.1 |", ["and", "or", ")"]],
    ["(tcp) |", ["and", "or"]],
    ["port domain |", ["and", "or"]],
    ["not rt|", ["rtt"]],
    ['domain "gi|', []],
    ["tcp \u0007 |", []],
  ])("%s", (text, wanted) => expect(at(text)).toEqual(wanted));
});

test("a test can begin at the start, after and, or, not and a parenthesis", () => {
  const start = at("|");
  expect(start).toContain("host");
  expect(start).toContain("not");
  for (const text of ["tcp and |", "tcp or |", "not |", "(|", "tcp && (not |"])
    expect(at(text)).toEqual(start);
});

test("the word at the cursor is replaced, to its end", () => {
  const text = "proto xdp and tcp";
  expect(completeFilter(text, 6).find((each) => each.text === "udp")).toMatchObject({ from: 6, to: 9 });
  expect(completeFilter("tcp and po", 10)[0]).toEqual({
    text: "port",
    from: 8,
    to: 10,
    hint: "port of either end",
  });
});

test("every completion goes on with the filter", () => {
  const texts = [
    "",
    "not ",
    "(",
    "tcp ",
    "(tcp ",
    "src ",
    "server port ",
    "port (80 ",
    "port (80 or ",
    "host ",
    "iface ",
    "domain ",
    "proto ",
    "dir ",
    "source ",
    "state ",
    "alpn ",
    "bytes ",
    "tcp and ",
    "port domain ",
  ];
  for (const text of texts) {
    const completions = completeFilter(text, text.length, VALUES);
    expect(completions.length).toBeGreaterThan(0);
    for (const { text: word, from, to } of completions) {
      const completed = `${text.slice(0, from)}${word}${text.slice(to)}`;
      try {
        parseFilter(completed);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        // It may want more, but not something else.
        expect([completed, error.at]).toEqual([completed, completed.trimEnd().length]);
      }
    }
  }
});
