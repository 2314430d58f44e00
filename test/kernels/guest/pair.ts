/** Two namespaces with a cable between them. */
import { sysctl } from "./kernel.ts";
import { ipBatch } from "./programs.ts";

export const CABLE = "data0";
let count = 0;

export interface End {
  namespace: string;
  ipv4: string;
  ipv6: string;
}

export interface Pair {
  client: End;
  server: End;
}

const QUIET: Readonly<Record<string, string>> = {
  "ipv6/conf/default/accept_dad": "0",
  "ipv6/conf/all/accept_dad": "0",
  "ipv6/conf/default/router_solicitations": "0",
};
const HOUR_S = 3600;

/** Neighbours once found are not asked again: the kernel's own packets, which come in between, are few then. */
export async function withoutProbes({ namespace }: End, names: readonly string[]): Promise<void> {
  const folders = names.flatMap((name) => [`ipv4/neigh/${name}`, `ipv6/neigh/${name}`]);
  const settings = folders.flatMap((folder) => [
    [`${folder}/base_reachable_time_ms`, String(HOUR_S * 1000)],
    [`${folder}/delay_first_probe_time`, String(HOUR_S)],
  ]);
  await sysctl(namespace, Object.fromEntries(settings));
}

/** Makes the namespaces and the cable, with addresses, but not yet up: an agent that starts now misses nothing. */
export async function makePair(): Promise<Pair> {
  const number = ++count;
  const client = { namespace: `c${number}`, ipv4: `10.9.${number}.1`, ipv6: `fd00:9:${number}::1` };
  const server = { namespace: `s${number}`, ipv4: `10.9.${number}.2`, ipv6: `fd00:9:${number}::2` };
  const ends = [client, server];
  await ipBatch([
    ...ends.map(({ namespace }) => `netns add ${namespace}`),
    `link add ${CABLE} netns ${client.namespace} type veth peer name ${CABLE} netns ${server.namespace}`,
  ]);
  for (const end of ends) {
    const { namespace, ipv4, ipv6 } = end;
    await sysctl(namespace, QUIET);
    await withoutProbes(end, [CABLE]);
    await ipBatch(
      ["link set lo up", `addr add ${ipv4}/24 dev ${CABLE}`, `addr add ${ipv6}/64 dev ${CABLE} nodad`],
      namespace,
    );
  }
  return { client, server };
}

/** One skb is one packet from now on, so that the interface's own counters count packets. */
export async function withoutSegmentation(end: End, names: readonly string[]): Promise<void> {
  await ipBatch(
    names.map((name) => `link set dev ${name} gso_max_segs 1`),
    end.namespace,
  );
}

/** TCP sends nothing again only because the machine is slow: no tail loss probes, no RACK, a long least timeout. */
export async function withoutHaste({ namespace, ipv4 }: End): Promise<void> {
  await sysctl(namespace, { "ipv4/tcp_early_retrans": "0", "ipv4/tcp_recovery": "0" });
  const network = `${ipv4.replace(/\.\d+$/, ".0")}/24`;
  await ipBatch([`route replace ${network} dev ${CABLE} src ${ipv4} rto_min 20s`], namespace);
}

/** Brings interfaces of both ends up. */
export async function bringUp({ client, server }: Pair, names: readonly string[] = [CABLE]): Promise<void> {
  for (const { namespace } of [client, server])
    await ipBatch(
      names.map((name) => `link set ${name} up`),
      namespace,
    );
}
