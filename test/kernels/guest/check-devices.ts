/** Devices that most test machines have no modules for: VLANs, IP tunnels, a bond. One agent watches them all. */
import { waitFor } from "../../lab/support/wait.ts";
import { Agent, PATIENCE_MS, type Seen } from "./agent.ts";
import { sameAsKernel } from "./check-exact.ts";
import { type Amount, counters } from "./kernel.ts";
import { bringUp, CABLE, makePair, type Pair, withoutProbes, withoutSegmentation } from "./pair.ts";
import { ipBatch } from "./programs.ts";
import { check, expectEqual } from "./report.ts";
import { echo, transfer } from "./traffic.ts";

const SIZES = [10, 200, 900];
const TCP_PORT = 7001;
const TRANSFER = { fromClient: 50_000, fromServer: 30_000 };
const ETHERNET = 14;
const TAG = 4;

interface Device {
  name: string;
  /** Column of the matrix. */
  column: string;
  /** `ip link add NAME` and this; `L` and `R` stand for the addresses of the cable, `L6` and `R6` for the IPv6 ones. */
  link: string;
  /** Port of the datagrams. */
  port: number;
  /** Bytes in front of the IP header. */
  header: number;
  /** Carries IPv6 inside, not IPv4. */
  isIpv6?: boolean;
}

const DEVICES: readonly Device[] = [
  { name: "vlan5", column: "802.1Q", link: `link ${CABLE} type vlan id 5`, port: 7105, header: ETHERNET },
  { name: "gre1", column: "gre", link: "type gre local L remote R ttl 64", port: 7101, header: 0 },
  { name: "ipip1", column: "ipip", link: "type ipip local L remote R ttl 64", port: 7102, header: 0 },
  {
    name: "sit1",
    column: "sit",
    link: "type sit local L remote R ttl 64",
    port: 7103,
    header: 0,
    isIpv6: true,
  },
  {
    name: "tnl6",
    column: "ip6tnl",
    link: "type ip6tnl mode any local L6 remote R6 encaplimit none",
    port: 7104,
    header: 0,
    isIpv6: true,
  },
  {
    name: "gre6",
    column: "ip6gre",
    link: "type ip6gre local L6 remote R6 encaplimit none",
    port: 7106,
    header: 0,
  },
  {
    name: "bond0",
    column: "bond",
    link: "type bond mode balance-rr miimon 20",
    port: 7107,
    header: ETHERNET,
  },
];
const SLAVES = ["leg0", "leg1"];

const inner = (index: number, end: 1 | 2) => ({
  ipv4: `10.10.${index}.${end}`,
  ipv6: `fd00:10:${index}::${end}`,
});

async function makeDevices(pair: Pair): Promise<void> {
  const { client, server } = pair;
  await ipBatch(
    SLAVES.map(
      (name) =>
        `link add ${name} netns ${client.namespace} type veth peer name ${name} netns ${server.namespace}`,
    ),
  );
  for (const [own, other, end] of [[client, server, 1] as const, [server, client, 2] as const]) {
    const words: Record<string, string> = { L: own.ipv4, R: other.ipv4, L6: own.ipv6, R6: other.ipv6 };
    const lines = DEVICES.flatMap(({ name, link }, index) => [
      `link add ${name} ${link.replaceAll(/\b[LR]6?\b/g, (word) => words[word] ?? word)}`.replace(
        /^link add (\S+) link (\S+)/,
        "link add link $2 name $1",
      ),
      `addr add ${inner(index, end).ipv4}/24 dev ${name}`,
      `addr add ${inner(index, end).ipv6}/64 dev ${name} nodad`,
    ]);
    await ipBatch([...lines, ...SLAVES.map((name) => `link set ${name} master bond0`)], own.namespace);
    await withoutProbes(
      own,
      DEVICES.map(({ name }) => name),
    );
    await withoutSegmentation(own, [CABLE, ...SLAVES, ...DEVICES.map(({ name }) => name)]);
  }
}

const plus = (amount: Amount, packets: number, each: number): Amount => ({
  packets: amount.packets,
  bytes: amount.bytes + packets * each,
});

/** A VLAN device counts what it receives without the Ethernet header. */
function adjusted({ name }: Device): (kernel: Seen) => Seen {
  if (name !== "vlan5") return (kernel) => kernel;
  return ({ rx, tx }) => ({ rx: plus(rx, rx.packets, ETHERNET), tx });
}

/** What the datagrams and their headers make, one way. */
function expectedBytes({ header, isIpv6 }: Device): number {
  const each = header + (isIpv6 ? 48 : 28);
  return SIZES.reduce((sum, size) => sum + size + each, 0);
}

async function checkDevice(agent: Agent, pair: Pair, device: Device, index: number): Promise<string> {
  const address = inner(index, 2)[device.isIpv6 ? "ipv6" : "ipv4"];
  const path = { client: pair.client, server: pair.server };
  await echo(path, address, device.port, SIZES);
  await transfer(path, { ...TRANSFER, port: TCP_PORT, address });
  const kernel = await sameAsKernel(agent, pair.server.namespace, device.name, adjusted(device));
  const { stats } = await agent.connection(
    device.port,
    (one) => one.stats.packets_count === 2 * SIZES.length && one.server_ip === address,
  );
  const bytes = expectedBytes(device);
  // The cable below a VLAN has the same connection, its tag counted.
  const isTagged = device.name === "vlan5" && stats.bytes_sent === bytes + TAG * SIZES.length;
  if (!isTagged) expectEqual("bytes of UDP", [stats.bytes_sent, stats.bytes_received], [bytes, bytes]);
  return `${kernel.rx.packets + kernel.tx.packets} packets`;
}

/** The cable itself: all of the above, tags included, which are beside the frame where the kernel counts. */
async function checkCable(agent: Agent, { server }: Pair): Promise<string> {
  const { namespace } = server;
  let last = "";
  return await waitFor(
    async () => {
      const [cable, vlan] = await Promise.all(["data0", "vlan5"].map((name) => counters(namespace, name)));
      if (cable === undefined || vlan === undefined) return null;
      const expected = { rx: plus(cable.rx, vlan.rx.packets, TAG), tx: plus(cable.tx, vlan.tx.packets, TAG) };
      const { rx, tx } = await agent.seen(CABLE);
      last = `the agent has ${JSON.stringify({ rx, tx })}, the kernel and tags ${JSON.stringify(expected)}`;
      return Bun.deepEquals({ rx, tx }, expected) ? `${rx.packets + tx.packets} packets` : null;
    },
    () => last,
    PATIENCE_MS,
  );
}

export async function checkDevices(): Promise<void> {
  const pair = await makePair();
  let agent: Agent | undefined;
  await check("devices", async () => {
    await makeDevices(pair);
    const names = [CABLE, ...DEVICES.map(({ name }) => name)];
    agent = await Agent.start(pair.server.namespace, { interfaces: names.join(",") });
    await bringUp(pair, [...SLAVES, ...names]);
    return `${names.length} interfaces`;
  });
  for (const [index, device] of DEVICES.entries()) {
    await check(device.column, () => {
      if (agent === undefined) throw new Error("no agent is running");
      return checkDevice(agent, pair, device, index);
    });
  }
  await check("tags", () => {
    if (agent === undefined) throw new Error("no agent is running");
    return checkCable(agent, pair);
  });
  await agent?.end("SIGTERM");
}
