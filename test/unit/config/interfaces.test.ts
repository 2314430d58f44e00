import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import {
  defaultRoutesIpv4,
  defaultRoutesIpv6,
  parseInterfaceNames,
  readInterfaceFacts,
  resolveInterfaces,
} from "../../../src/config/interfaces.ts";

const DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  372979     409    0    0    0     0          0         0   372979     409    0    0    0     0       0          0
  eth0:318327431    8119    0    0    0     0          0         0   477931    4824    0    0    0     0       0          0
eth0.100:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
`;

const HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const route4 = (name: string, destination: string, flags: string, mask: string) =>
  `${name}\t${destination}\t010200C0\t${flags}\t0\t0\t0\t${mask}\t0\t0\t0\n`;

const ZERO = "0".repeat(32);
const route6 = (name: string, destination: string, prefix: string, flags: string) =>
  `${destination} ${prefix} ${ZERO} 00 fd000000000000000000000000000001 00000400 00000002 00000000 ${flags} ${name.padStart(8)}\n`;

test("names of /proc/net/dev, also where a large counter touches the colon", () => {
  expect(parseInterfaceNames(DEV)).toEqual(["lo", "eth0", "eth0.100"]);
  expect(parseInterfaceNames("")).toEqual([]);
});

describe("default routes", () => {
  test("IPv4: destination and mask zero, up, not a reject route", () => {
    const text =
      HEAD +
      route4("eth0", "00000000", "0003", "00000000") +
      route4("eth1", "000200C0", "0001", "00FFFFFF") +
      route4("tun0", "00000000", "0001", "00000080") +
      route4("eth2", "00000000", "0000", "00000000") +
      route4("eth3", "00000000", "0203", "00000000") +
      route4("*", "00000000", "0001", "00000000") +
      route4("wlan0", "00000000", "0003", "00000000");
    expect(defaultRoutesIpv4(text)).toEqual(["eth0", "wlan0"]);
    expect(defaultRoutesIpv4("")).toEqual([]);
  });

  test("IPv6: ::/0, up, not the kernel's reject route on lo", () => {
    const text =
      route6("eth0", "fd000000000000000000000000000000", "40", "00000001") +
      route6("eth0", ZERO, "00", "00000003") +
      route6("eth1", ZERO, "01", "00000003") +
      route6("eth2", ZERO, "00", "00200200") +
      route6("lo", ZERO, "00", "00000001");
    expect(defaultRoutesIpv6(text)).toEqual(["eth0"]);
    expect(defaultRoutesIpv6("")).toEqual([]);
  });
});

describe("resolveInterfaces", () => {
  const facts = { names: ["lo", "eth0", "eth1", "veth1", "a*"], defaultRoute: ["eth0"] };

  test("names, globs and auto, each interface once, in the order of the patterns", () => {
    expect(resolveInterfaces(["eth1", "auto", "eth?", "v*"], facts)).toEqual({
      names: ["eth1", "eth0", "veth1"],
      problems: [],
      waiting: [],
    });
    expect(resolveInterfaces(["all"], facts).names).toEqual(facts.names);
  });

  test("a name that looks like a glob wins over the glob", () => {
    expect(resolveInterfaces(["a*"], { names: ["a*", "ab"], defaultRoute: [] }).names).toEqual(["a*"]);
  });

  test("an interface called like a word is that interface", () => {
    const taken = { names: ["lo", "all", "auto"], defaultRoute: ["lo"] };
    expect(resolveInterfaces(["all", "auto"], taken).names).toEqual(["all", "auto"]);
  });

  test("a name that is not there is a problem, the rest waits", () => {
    const found = resolveInterfaces(["eth9", "wl*", "auto", "eth0"], { ...facts, defaultRoute: [] });
    expect(found).toEqual({
      names: ["eth0"],
      problems: ["interface eth9 does not exist (there are lo, eth0, eth1, veth1, a*)"],
      waiting: ["no interface matches wl*", "no interface has a default route"],
    });
    expect(resolveInterfaces(["all"], { names: [], defaultRoute: [] }).waiting).toEqual([
      "no interface matches all",
    ]);
  });

  test("an empty namespace", () => {
    expect(resolveInterfaces(["eth0"], { names: [], defaultRoute: [] }).problems).toEqual([
      "interface eth0 does not exist (there are none)",
    ]);
  });
});

test("facts are read from files; a missing one is empty", () => {
  const folder = mkdtempSync("/tmp/ayaflow-interfaces-");
  try {
    writeFileSync(`${folder}/dev`, DEV);
    writeFileSync(`${folder}/route`, HEAD + route4("eth0", "00000000", "0003", "00000000"));
    expect(readInterfaceFacts(folder)).toEqual({ names: ["lo", "eth0", "eth0.100"], defaultRoute: ["eth0"] });
    writeFileSync(`${folder}/ipv6_route`, route6("eth0", ZERO, "00", "00000003"));
    expect(readInterfaceFacts(folder).defaultRoute).toEqual(["eth0"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the machine's own files have lo", () => expect(readInterfaceFacts().names).toContain("lo"));
