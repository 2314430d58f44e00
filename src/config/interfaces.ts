import { readFileSync } from "node:fs";
import { compileGlob, isGlob } from "./glob.ts";

/** The interfaces of this network namespace, and those that carry a default route. */
export interface InterfaceFacts {
  names: readonly string[];
  defaultRoute: readonly string[];
}

export interface ResolvedInterfaces {
  names: string[];
  /** Names of interfaces that do not exist: one sentence each, with the remedy. */
  problems: string[];
  /** Globs, `auto` and `all` that mean none at the moment: one sentence each. */
  waiting: string[];
}

const LOOPBACK = "lo";
/** The interfaces with a default route, and every interface. */
export const AUTO = "auto";
const ALL = "all";
/** From <linux/route.h>, the same for IPv6. */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");

function isUsable(flags: string | undefined): boolean {
  const bits = Number.parseInt(flags ?? "0", 16);
  return (bits & RTF_UP) !== 0 && (bits & RTF_REJECT) === 0;
}

/** Interface names of /proc/net/dev, in its order. */
export function parseInterfaceNames(procNetDev: string): string[] {
  return lines(procNetDev).flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? []);
}

/** Interfaces with an IPv4 default route in /proc/net/route (the main table). */
export function defaultRoutesIpv4(procNetRoute: string): string[] {
  return lines(procNetRoute).flatMap((line) => {
    const [name, destination, , flags, , , , mask] = line.trim().split(/\s+/);
    const isDefault = destination === "00000000" && mask === "00000000" && isUsable(flags);
    return isDefault && name !== undefined && name !== LOOPBACK && name !== "*" ? [name] : [];
  });
}

/** Interfaces with an IPv6 default route in /proc/net/ipv6_route. */
export function defaultRoutesIpv6(procNetIpv6Route: string): string[] {
  return lines(procNetIpv6Route).flatMap((line) => {
    const [destination, prefix, , , , , , , flags, name] = line.trim().split(/\s+/);
    const isDefault = destination === "0".repeat(32) && prefix === "00" && isUsable(flags);
    return isDefault && name !== undefined && name !== LOOPBACK ? [name] : [];
  });
}

/** Whether a pattern is the name of one interface; those of `names` exist, whatever they look like. */
export function isLiteral(pattern: string, names: readonly string[]): boolean {
  return names.includes(pattern) || !(isGlob(pattern) || pattern === AUTO || pattern === ALL);
}

/**
 * The interfaces that `patterns` (names, globs, `auto`, `all`) mean, in the order of the patterns, each once. An
 * interface whose name is the pattern wins over what the pattern means otherwise.
 */
export function resolveInterfaces(patterns: readonly string[], facts: InterfaceFacts): ResolvedInterfaces {
  const names = new Set<string>();
  const problems: string[] = [];
  const waiting: string[] = [];
  const list = facts.names.length === 0 ? "there are none" : `there are ${facts.names.join(", ")}`;
  for (const pattern of patterns) {
    const matches = matching(pattern, facts);
    for (const name of matches) names.add(name);
    if (matches.length > 0) continue;
    if (isLiteral(pattern, facts.names)) problems.push(`interface ${pattern} does not exist (${list})`);
    else
      waiting.push(pattern === AUTO ? "no interface has a default route" : `no interface matches ${pattern}`);
  }
  return { names: [...names], problems, waiting };
}

function matching(pattern: string, { names, defaultRoute }: InterfaceFacts): readonly string[] {
  if (names.includes(pattern)) return [pattern];
  if (pattern === AUTO) return defaultRoute;
  if (pattern === ALL) return names;
  const test = isGlob(pattern) ? compileGlob(pattern) : undefined;
  return test === undefined ? [] : names.filter(test);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Interfaces with a default route in `folder` (/proc/net). A missing file, as ipv6_route without IPv6, is an empty one. */
export function readDefaultRoutes(folder = "/proc/net"): string[] {
  const routes = [
    ...defaultRoutesIpv4(readOrEmpty(`${folder}/route`)),
    ...defaultRoutesIpv6(readOrEmpty(`${folder}/ipv6_route`)),
  ];
  return [...new Set(routes)];
}

/**
 * Reads `folder` (/proc/net). That follows the network namespace of the process, where /sys/class/net may be absent
 * or show another namespace.
 */
export function readInterfaceFacts(folder = "/proc/net"): InterfaceFacts {
  return {
    names: parseInterfaceNames(readOrEmpty(`${folder}/dev`)),
    defaultRoute: readDefaultRoutes(folder),
  };
}
