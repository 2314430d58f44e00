import { isLiteral, resolveInterfaces } from "../config/interfaces.ts";

/** An interface that exists. */
export interface PresentLink {
  name: string;
  ifindex: number;
  hardwareType: number;
}

export interface WatchFacts<L extends PresentLink> {
  links: readonly L[];
  /** Names of interfaces with a default route. */
  defaultRoute: readonly string[];
  /** Indexes of what went since the last plan; another may have the index by now. */
  gone: ReadonlySet<number>;
  /** What is watched. */
  watched: readonly { name: string; ifindex: number }[];
  /** Whether packets of a hardware type can be read. */
  isSupported: (hardwareType: number) => boolean;
}

/** What is to be done so that what is watched is what the patterns mean. In this order. */
export interface WatchPlan<L extends PresentLink> {
  detach: { name: string; ifindex: number; isGone: boolean }[];
  rename: { ifindex: number; from: string; to: string }[];
  attach: L[];
  /** Matched by a pattern, but of a kind that cannot be read. */
  skipped: L[];
  /** What the patterns still wait for, one sentence each. */
  waiting: string[];
}

/** Compares what is there with what is watched. An interface is known by its index: names change. */
export function planWatch<L extends PresentLink>(
  patterns: readonly string[],
  { links, defaultRoute, gone, watched, isSupported }: WatchFacts<L>,
): WatchPlan<L> {
  const names = links.map(({ name }) => name);
  const { names: wanted, waiting } = resolveInterfaces(patterns, { names, defaultRoute });
  const missing = patterns.filter((pattern) => isLiteral(pattern, names) && !names.includes(pattern));
  const order = new Map(wanted.map((name, index) => [name, index]));
  const present = new Map(links.map((link) => [link.ifindex, link]));
  const plan: WatchPlan<L> = { detach: [], rename: [], attach: [], skipped: [], waiting: [] };
  plan.waiting.push(...missing.map((name) => `interface ${name} does not exist`), ...waiting);
  const kept = new Set<number>();
  for (const { name, ifindex } of watched) {
    const link = gone.has(ifindex) ? undefined : present.get(ifindex);
    if (link === undefined || !order.has(link.name)) {
      plan.detach.push({ name, ifindex, isGone: link === undefined });
      continue;
    }
    kept.add(ifindex);
    if (link.name !== name) plan.rename.push({ ifindex, from: name, to: link.name });
  }
  for (const link of links) {
    if (kept.has(link.ifindex) || !order.has(link.name)) continue;
    // Named one by one, it is attached, which says why that does not work.
    const isNamed = patterns.includes(link.name) && isLiteral(link.name, names);
    if (isNamed || isSupported(link.hardwareType)) plan.attach.push(link);
    else plan.skipped.push(link);
  }
  plan.attach.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  return plan;
}
