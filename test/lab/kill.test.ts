import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { exec } from "./support/process.ts";
import { frame, pattern } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { startAgent } from "./support/agent.ts";
import { statsAfter } from "./support/answers.ts";
import { createLab, type End, VETH } from "./support/lab.ts";
import { addStranger } from "./support/stranger.ts";
import { waitFor } from "./support/wait.ts";

const ROUNDS = 50;
const TIMEOUT_MS = 300_000;

/** Programs, maps and links of the agent that the kernel still has, by name. */
async function leftovers(): Promise<string[]> {
  const lists = await Promise.all(
    ["prog", "map"].map(async (kind) => (await exec(["bpftool", "-j", kind, "show"])).stdout),
  );
  const programs: { name?: string }[] = lists.flatMap((text) => JSON.parse(text));
  return programs.map(({ name }) => name ?? "").filter((name) => name.startsWith("ayaflow"));
}

/** What hangs on the interface's hooks: TCX programs and clsact filters, by name. */
async function attached(end: End): Promise<string[]> {
  const { stdout } = await end.exec(["bpftool", "-j", "net", "show", "dev", VETH]);
  const [net]: { tc: { name: string; kind: string }[] }[] = JSON.parse(stdout);
  return (net?.tc ?? []).map(({ kind, name }) => `${kind} ${name}`);
}

/** Packets that the stranger's own clsact filters have let through, by tc's count. */
async function strangerPackets(end: End): Promise<number> {
  const { stdout } = await end.exec(["tc", "-s", "-j", "filter", "show", "dev", VETH, "ingress"]);
  const filters: { options?: { actions?: { stats?: { packets: number } }[] } }[] = JSON.parse(stdout);
  return filters.flatMap((one) => one.options?.actions ?? []).reduce((sum, one) => sum + (one.stats?.packets ?? 0), 0);
}

test(
  `kill -9 ${ROUNDS} times under load: a sound database, nothing of ours left, strangers untouched`,
  async () => {
    await using lab = await createLab({ mtu: 65535 });
    const file = lab.path("flows.pcap");
    await writePcap(
      file,
      Array.from({ length: 5000 }, (_, index) =>
        frame({
          source: "10.77.0.1",
          destination: "10.77.0.2",
          transport: { kind: "udp", sourcePort: 1024 + index, destinationPort: 53, payload: pattern(40) },
        }),
      ),
    );
    await lab.server.exec(["tc", "qdisc", "add", "dev", VETH, "clsact"]);
    await lab.server.exec(
      ["tc", "filter", "add", "dev", VETH, "ingress", "protocol", "all", "matchall", "action", "gact", "pipe"],
    );
    const stranger = await addStranger(lab.server, VETH, lab.folder);
    const foreign = await attached(lab.server);
    expect(foreign).toHaveLength(2);
    const load = lab.client.spawn(["tcpreplay", "-i", VETH, "--pps=20000", "--preload-pcap", "--loop=100000", file]);
    const dbPath = lab.path("traffic.db");
    for (let round = 0; round < ROUNDS; round++) {
      // Raw mode on every other round: then the database is written to all the time.
      const args = ["--aggregation-window", round % 2 === 0 ? "0" : "1"];
      const agent = await startAgent(lab.server, lab.folder, { dbPath, args });
      await statsAfter(agent, 500 + (round % 10) * 300);
      await agent.stop("SIGKILL");
      using database = new Database(dbPath, { readonly: true });
      expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
      expect(await leftovers()).toEqual([]);
      expect(await attached(lab.server)).toEqual(foreign);
    }
    expect(load.running).toBe(true);
    const before = { tcx: stranger.count(), clsact: await strangerPackets(lab.server) };
    await waitFor(() => stranger.count() > before.tcx, "the strange TCX program counts no more");
    expect(await strangerPackets(lab.server)).toBeGreaterThan(before.clsact);
    using database = new Database(dbPath, { readonly: true });
    const stored = database.query<{ rows: number }, []>("SELECT count(*) AS rows FROM rows").get()?.rows ?? 0;
    expect(stored).toBeGreaterThan(0);
    console.log(`kill -9: ${ROUNDS} rounds, ${stored} rows in the database at the end`);
  },
  TIMEOUT_MS,
);
