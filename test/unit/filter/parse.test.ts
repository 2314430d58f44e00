import { describe, expect, test } from "bun:test";
import { Lexer } from "chevrotain";
import { formatFilter } from "../../../src/filter/format.ts";
import { FilterParser } from "../../../src/filter/grammar.ts";
import { parseFilter } from "../../../src/filter/parse.ts";
import { TOKENS } from "../../../src/filter/tokens.ts";
import { testsOf } from "../../../src/filter/needs.ts";

/** The plainest text of what `text` is read as. */
function plain(text: string): string | null {
  const filter = parseFilter(text);
  return filter === null ? null : formatFilter(filter);
}

test("the library finds no mistake in the grammar", () => {
  expect(() => new FilterParser(true)).not.toThrow();
  expect(new Lexer(TOKENS, { positionTracking: "onlyOffset" }).lexerDefinitionErrors).toEqual([]);
});

test.each(["", "  ", "\n\t"])("%p asks for everything", (text) => expect(parseFilter(text)).toBeNull());

describe("what is written, and what it means", () => {
  test.each([
    // Addresses
    ["host 10.0.0.1", "host 10.0.0.1"],
    ["HOST 10.0.0.1", "host 10.0.0.1"],
    ["net 10.1.2.3/8", "host 10.0.0.0/8"],
    ["src host 10.0.0.1", "src host 10.0.0.1"],
    ["src 10.0.0.1", "src host 10.0.0.1"],
    ["dst net fd00::/8", "dst host fd00::/8"],
    ["client 2001:db8::1", "client host 2001:db8::1"],
    ["server net ::ffff:1.2.3.4/128", "server host ::ffff:1.2.3.4"],
    ["host = 10.0.0.1", "host 10.0.0.1"],
    ["host != 10.0.0.1", "not host 10.0.0.1"],
    ["ip", "host 0.0.0.0/0"],
    ["ip6", "host ::/0"],
    // Ports
    ["port 443", "port 443"],
    ["port https", "port 443"],
    ["port domain", "port 53"],
    ["port 8000-8100", "port 8000-8100"],
    ["portrange 8000-8100", "port 8000-8100"],
    ["client port 40000-65535", "client port 40000-65535"],
    ["server port SSH", "server port 22"],
    ["port >= 1024", "port 1024-65535"],
    ["port > 1024", "port 1025-65535"],
    ["port < 1024", "port 0-1023"],
    ["src port <= 1024", "src port 0-1024"],
    ["port != 443", "not port 443"],
    ["port == 443", "port 443"],
    ["port != 8000-8100", "not port 8000-8100"],
    // The rest
    ["proto tcp", "proto tcp"],
    ["proto 47", "proto gre"],
    ["proto 253", "proto 253"],
    ["protocol UDP", "proto udp"],
    ["proto icmp6", "proto icmpv6"],
    ["tcp", "proto tcp"],
    ["icmp or icmp6", "proto icmp or proto icmpv6"],
    ["iface eth0", "iface eth0"],
    ["iface veth**", "iface veth*"],
    ["interface != lo", "not iface lo"],
    ["dir in", "dir ingress"],
    ["outbound", "dir egress"],
    ["domain GitHub.com.", "domain github.com"],
    ["domain *.github.com", "domain *.github.com"],
    ["domain none", "domain none"],
    ['domain "none"', 'domain "none"'],
    ["domain *", "not domain none"],
    ["domain != *", "domain none"],
    ["source sni", "source sni"],
    ["source none", "source none"],
    ["alpn http/1.1", "alpn http/1.1"],
    ["ja4 t13d*", "ja4 t13d*"],
    ["state syn_sent", "state syn_sent"],
    // Numbers
    ["bytes > 1M", "bytes > 1000000"],
    ["bytes>1.5k", "bytes > 1500"],
    ["bytes <= 2Mi", "bytes <= 2097152"],
    ["bytes < 64KiB", "bytes < 65536"],
    ["packets == 100", "packets = 100"],
    ["retransmits != 0", "retrans != 0"],
    ["rtt >= 20ms", "rtt >= 20ms"],
    ["rtt < 1.5s", "rtt < 1500ms"],
    ["rtt > 300us", "rtt > 300us"],
    ["rtt > 300\u00b5s", "rtt > 300us"],
    // Logic
    ["tcp and not port 80 or udp", "(proto tcp and not port 80) or proto udp"],
    ["tcp && ! port 80 || udp", "(proto tcp and not port 80) or proto udp"],
    ["tcp and (port 80 or udp)", "proto tcp and (port 80 or proto udp)"],
    ["not (tcp or udp)", "not (proto tcp or proto udp)"],
    ["not not tcp", "not not proto tcp"],
    ["!tcp&&!udp", "not proto tcp and not proto udp"],
    // As in tcpdump
    ["tcp port 80", "proto tcp and port 80"],
    ["not tcp src port 80", "not (proto tcp and src port 80)"],
    ["ip host 10.0.0.1", "host 0.0.0.0/0 and host 10.0.0.1"],
    ["port 80 or 443", "port 80 or port 443"],
    ["port (80 or 443 or 8080)", "port 80 or port 443 or port 8080"],
    ["port != (80 or 443)", "not (port 80 or port 443)"],
    ["host 1.2.3.4 or 5.6.7.8 and tcp", "host 1.2.3.4 or (host 5.6.7.8 and proto tcp)"],
    ["src port 80 or not 443", "src port 80 or not src port 443"],
    ["dst 1.2.3.4 and (5.6.7.8 or 9.9.9.9)", "dst host 1.2.3.4 and (dst host 5.6.7.8 or dst host 9.9.9.9)"],
    ["iface eth0 or eth1", "iface eth0 or iface eth1"],
    ["source sni or quic", "source sni or source quic"],
    ["domain a.com or *.b.com", "domain a.com or domain *.b.com"],
    [
      "host 10.0.0.0/8 and (port 443 or proto udp) and domain *.github.com and not iface lo",
      "host 10.0.0.0/8 and (port 443 or proto udp) and domain *.github.com and not iface lo",
    ],
  ])("%s", (text, meaning) => {
    expect(plain(text)).toBe(meaning);
    expect(plain(meaning)).toBe(meaning);
  });
});

test("tests know where they stand", () => {
  const text = "  tcp  and src port (80 or  443) or not bytes > 1k";
  const filter = parseFilter(text);
  if (filter === null) throw new Error("no filter");
  const places = [...testsOf(filter)].map(({ at, length }) => text.slice(at, at + length));
  expect(places).toEqual(["tcp", "80", "443", "bytes > 1k"]);
});
