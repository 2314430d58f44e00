/** Two network namespaces joined by a veth pair: the stage for real programs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counted, interfaceCounters } from "./counters.ts";
import type { ExecOptions, ExecResult, Program } from "./process.ts";
import { NAME_PREFIX, Namespace, nextNumber, sweepStale } from "./namespace.ts";

/** The interface's name at both ends. */
export const VETH = "veth0";

export interface LabOptions {
  /** Of both ends; 1500 unless given, at most 65535. */
  mtu?: number;
  /** Off unless given: the kernel sends IPv6 packets of its own. */
  ipv6?: boolean;
  /** Segmentation, checksum and receive offloads; off unless given, so that what is captured is what is on the wire. */
  offloads?: boolean;
}

/** One end of the pair. */
export interface End {
  namespace: Namespace;
  ipv4: string;
  /** Set up only with `ipv6`. */
  ipv6: string;
  mac: string;
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  spawn(command: readonly string[], env?: Record<string, string>): Program;
  counters(): Promise<Counted>;
}

export interface Lab extends AsyncDisposable {
  client: End;
  server: End;
  /** A folder of the lab's own, removed with it. */
  folder: string;
  path(name: string): string;
}

const OFFLOADS = ["rx", "tx", "sg", "tso", "gso", "gro"];

async function openEnd(role: "client" | "server", namespace: Namespace, options: LabOptions): Promise<End> {
  const host = role === "client" ? 1 : 2;
  const ipv4 = `10.77.0.${host}`;
  const ipv6 = `fd00:77::${host}`;
  await namespace.ip("address", "add", `${ipv4}/24`, "dev", VETH);
  if (options.ipv6 === true) await namespace.ip("address", "add", `${ipv6}/64`, "dev", VETH, "nodad");
  if (options.offloads !== true) {
    await namespace.exec(["ethtool", "-K", VETH, ...OFFLOADS.flatMap((name) => [name, "off"])]);
  }
  await namespace.ip("link", "set", VETH, "up");
  const link: { address: string }[] = JSON.parse(await namespace.ip("-j", "link", "show", VETH));
  return {
    namespace,
    ipv4,
    ipv6,
    mac: link[0]?.address ?? "",
    exec: (command, execOptions) => namespace.exec(command, execOptions),
    spawn: (command, env) => namespace.spawn(command, env),
    counters: () => interfaceCounters(namespace, VETH),
  };
}

async function prepareIpv6(namespace: Namespace, enabled: boolean): Promise<void> {
  for (const scope of ["all", "default"]) {
    await namespace.sysctl(`ipv6.conf.${scope}.disable_ipv6`, enabled ? 0 : 1);
    await namespace.sysctl(`ipv6.conf.${scope}.accept_dad`, 0);
    await namespace.sysctl(`ipv6.conf.${scope}.router_solicitations`, 0);
  }
}

/**
 * Makes a lab: `client` is 10.77.0.1 and fd00:77::1, `server` is 10.77.0.2 and fd00:77::2, each on its `veth0`.
 * `await using lab = await createLab()` takes everything away again, also after a failure.
 */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  await sweepStale();
  await using stack = new AsyncDisposableStack();
  const number = nextNumber();
  const folder = await mkdtemp(join(tmpdir(), `${NAME_PREFIX}${process.pid}-`));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const client = stack.use(await Namespace.create("client", number));
  const server = stack.use(await Namespace.create("server", number));
  for (const namespace of [client, server]) await prepareIpv6(namespace, options.ipv6 === true);
  const mtu = String(options.mtu ?? 1500);
  const peer = ["peer", "name", VETH, "mtu", mtu, "netns", server.name];
  await client.ip("link", "add", VETH, "mtu", mtu, "type", "veth", ...peer);
  const ends = {
    client: await openEnd("client", client, options),
    server: await openEnd("server", server, options),
  };
  await server.ip("link", "set", VETH, "up");
  const owned = stack.move();
  return {
    ...ends,
    folder,
    path: (name) => join(folder, name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
