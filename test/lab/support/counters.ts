/** What the kernel itself counted: the oracle of the lab. */
import type { Namespace } from "./namespace.ts";

/** Counters of one interface since it was made. Bytes are whole frames without FCS. */
export interface Counted {
  rxPackets: number;
  rxBytes: number;
  rxDropped: number;
  txPackets: number;
  txBytes: number;
  txDropped: number;
}

interface LinkStats {
  packets: number;
  bytes: number;
  dropped: number;
}

export async function interfaceCounters(namespace: Namespace, name: string): Promise<Counted> {
  const links: { stats64: { rx: LinkStats; tx: LinkStats } }[] = JSON.parse(
    await namespace.ip("-s", "-j", "link", "show", "dev", name),
  );
  const stats = links[0]?.stats64;
  if (stats === undefined) throw new Error(`no statistics of ${name} in ${namespace.name}`);
  return {
    rxPackets: stats.rx.packets,
    rxBytes: stats.rx.bytes,
    rxDropped: stats.rx.dropped,
    txPackets: stats.tx.packets,
    txBytes: stats.tx.bytes,
    txDropped: stats.tx.dropped,
  };
}

/** What was counted between two readings. */
export function difference(after: Counted, before: Counted): Counted {
  return {
    rxPackets: after.rxPackets - before.rxPackets,
    rxBytes: after.rxBytes - before.rxBytes,
    rxDropped: after.rxDropped - before.rxDropped,
    txPackets: after.txPackets - before.txPackets,
    txBytes: after.txBytes - before.txBytes,
    txDropped: after.txDropped - before.txDropped,
  };
}

/** Loads an nft ruleset into the namespace. */
export async function loadRules(namespace: Namespace, ruleset: string): Promise<void> {
  await namespace.exec(["nft", "-f", "-"], { stdin: ruleset });
}

/** Named nft counters of the namespace. Their bytes start at the network header, without the link's. */
export async function nftCounters(
  namespace: Namespace,
): Promise<Record<string, { packets: number; bytes: number }>> {
  const { stdout } = await namespace.exec(["nft", "-j", "list", "counters"]);
  const listed: { nftables: { counter?: { name: string; packets: number; bytes: number } }[] } =
    JSON.parse(stdout);
  const counters = listed.nftables.flatMap(({ counter }) => (counter === undefined ? [] : [counter]));
  return Object.fromEntries(counters.map(({ name, packets, bytes }) => [name, { packets, bytes }]));
}
