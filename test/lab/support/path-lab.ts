/** Three network namespaces in a row: what the two ends say to each other crosses several interfaces of the one between. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interfaceCounters } from "./counters.ts";
import { type End, VETH } from "./lab.ts";
import { NAME_PREFIX, Namespace, nextNumber, sweepStale } from "./namespace.ts";

/** Of the one between: the bridge and the interface to the server; `VETH` is the one to the client. */
export const BRIDGE = "br0";
export const UPLINK = "up0";
/** The client's second interface in `asymmetric`, and the one that it is joined to. */
export const BACK = "back0";
/** Of both ends; the client's second one. */
export const LINK = "end0";
export const SECOND = "end1";
const OFFLOADS = ["rx", "tx", "sg", "tso", "gso", "gro"];

/**
 * `routed`: the bridge has the client's interface and the gateway's address. `bridged`: the bridge joins client and server.
 * `asymmetric`: no bridge; what the server answers goes to the client by another interface than what the client sends.
 */
export type PathKind = "routed" | "bridged" | "asymmetric";

export interface PathLab extends AsyncDisposable {
  client: End;
  middle: End;
  server: End;
  /** A folder of the lab's own, removed with it. */
  folder: string;
}

async function endOf(namespace: Namespace, link: string, ipv4: string): Promise<End> {
  return {
    namespace,
    ipv4,
    ipv6: "",
    mac: await macOf(namespace, link),
    exec: (command, options) => namespace.exec(command, options),
    spawn: (command, env) => namespace.spawn(command, env),
    counters: () => interfaceCounters(namespace, link),
  };
}

async function macOf(namespace: Namespace, name: string): Promise<string> {
  const links: { address: string }[] = JSON.parse(await namespace.ip("-j", "link", "show", name));
  return links[0]?.address ?? "";
}

/** Joins two namespaces by a veth pair, both ends up, without segmentation offloads. */
async function joinBy(one: Namespace, name: string, other: Namespace, otherName: string): Promise<void> {
  await one.ip("link", "add", name, "type", "veth", "peer", "name", otherName, "netns", other.name);
  const ends = [
    [one, name],
    [other, otherName],
  ] as const;
  for (const [namespace, link] of ends) {
    await namespace.exec(["ethtool", "-K", link, ...OFFLOADS.flatMap((offload) => [offload, "off"])]);
    await namespace.ip("link", "set", link, "up");
  }
}

async function addBridge(middle: Namespace, ports: readonly string[]): Promise<void> {
  await middle.ip("link", "add", BRIDGE, "type", "bridge", "mcast_snooping", "0");
  for (const port of ports) await middle.ip("link", "set", port, "master", BRIDGE);
  await middle.ip("link", "set", BRIDGE, "up");
}

/** Knows a neighbour for good: nobody asks for it. */
async function addNeighbour(of: Namespace, link: string, ipv4: string, mac: string): Promise<void> {
  await of.ip("neighbour", "replace", ipv4, "lladdr", mac, "nud", "permanent", "dev", link);
}

export async function createPathLab(kind: PathKind): Promise<PathLab> {
  await sweepStale();
  await using stack = new AsyncDisposableStack();
  const number = nextNumber();
  const folder = await mkdtemp(join(tmpdir(), `${NAME_PREFIX}${process.pid}-`));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const client = stack.use(await Namespace.create("client", number));
  const middle = stack.use(await Namespace.create("middle", number));
  const server = stack.use(await Namespace.create("server", number));
  for (const namespace of [client, middle, server]) {
    for (const scope of ["all", "default"]) {
      await namespace.sysctl(`ipv6.conf.${scope}.disable_ipv6`, 1);
      await namespace.sysctl(`ipv4.conf.${scope}.rp_filter`, 0);
      await namespace.sysctl(`ipv4.conf.${scope}.send_redirects`, 0);
    }
  }
  await joinBy(client, LINK, middle, VETH);
  await joinBy(server, LINK, middle, UPLINK);
  const serverIpv4 = kind === "bridged" ? "10.78.1.3" : "10.78.2.2";
  await client.ip("address", "add", "10.78.1.2/24", "dev", LINK);
  await server.ip("address", "add", `${serverIpv4}/24`, "dev", LINK);
  if (kind === "bridged") {
    await addBridge(middle, [VETH, UPLINK]);
    await addNeighbour(client, LINK, serverIpv4, await macOf(server, LINK));
    await addNeighbour(server, LINK, "10.78.1.2", await macOf(client, LINK));
  } else {
    if (kind === "routed") await addBridge(middle, [VETH]);
    const near = kind === "routed" ? BRIDGE : VETH;
    await middle.sysctl("ipv4.ip_forward", 1);
    await middle.ip("address", "add", "10.78.1.1/24", "dev", near);
    await middle.ip("address", "add", "10.78.2.1/24", "dev", UPLINK);
    await client.ip("route", "add", "default", "via", "10.78.1.1");
    await server.ip("route", "add", "default", "via", "10.78.2.1");
    await addNeighbour(client, LINK, "10.78.1.1", await macOf(middle, near));
    await addNeighbour(middle, near, "10.78.1.2", await macOf(client, LINK));
    await addNeighbour(middle, UPLINK, serverIpv4, await macOf(server, LINK));
    await addNeighbour(server, LINK, "10.78.2.1", await macOf(middle, UPLINK));
  }
  if (kind === "asymmetric") {
    await joinBy(client, SECOND, middle, BACK);
    await middle.ip("route", "add", "10.78.1.2/32", "dev", BACK);
    await addNeighbour(middle, BACK, "10.78.1.2", await macOf(client, SECOND));
  }
  const owned = stack.move();
  return {
    client: await endOf(client, LINK, "10.78.1.2"),
    middle: await endOf(middle, VETH, "10.78.1.1"),
    server: await endOf(server, LINK, serverIpv4),
    folder,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
