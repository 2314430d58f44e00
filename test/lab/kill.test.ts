import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { frame, pattern } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { startAgent } from "./support/agent.ts";
import { statsAfter } from "./support/answers.ts";
import { bpfObjectsOf, remaining } from "./support/bpf.ts";
import { createLab, type End, VETH } from "./support/lab.ts";
import { addClsactStranger, addTcxStranger } from "./support/stranger.ts";
import { waitFor } from "./support/wait.ts";

const ROUNDS = 50;
const TIMEOUT_MS = 300_000;

/** clsact filters of the interface, by name. */
async function filters(end: End): Promise<string[]> {
  const { stdout } = await end.exec(["bpftool", "-j", "net", "show", "dev", VETH]);
  const [net]: { tc: { name: string; kind: string }[] }[] = JSON.parse(stdout);
  return (net?.tc ?? []).map(({ kind, name }) => `${kind} ${name}`);
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
    const strangers = [
      await addTcxStranger(lab.server, VETH, lab.folder),
      await addClsactStranger(lab.server, VETH, lab.folder),
    ];
    const foreign = await filters(lab.server);
    expect(foreign).toHaveLength(1);
    const load = lab.client.spawn([
      "tcpreplay",
      "-i",
      VETH,
      "--pps=20000",
      "--preload-pcap",
      "--loop=100000",
      file,
    ]);
    const dbPath = lab.path("traffic.db");
    for (let round = 0; round < ROUNDS; round++) {
      // Raw mode on every other round: then the database is written to all the time.
      const args = ["--aggregation-window", round % 2 === 0 ? "0" : "1"];
      const agent = await startAgent(lab.server, lab.folder, { dbPath, args });
      await statsAfter(agent, 500 + (round % 10) * 300);
      const objects = bpfObjectsOf(agent.program.pid);
      expect(Object.values(objects).every((ids) => ids.length > 0)).toBe(true);
      await agent.stop("SIGKILL");
      using database = new Database(dbPath, { readonly: true });
      expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
      // The kernel frees them a moment after their last user is gone.
      await waitFor(
        async () => (await remaining(objects)).length === 0,
        "something of the killed agent remains",
      );
      expect(await filters(lab.server)).toEqual(foreign);
    }
    expect(load.running).toBe(true);
    for (const stranger of strangers) {
      const before = await stranger.count();
      await waitFor(async () => (await stranger.count()) > before, "a strange program counts no more");
    }
    using database = new Database(dbPath, { readonly: true });
    const stored = database.query<{ rows: number }, []>("SELECT count(*) AS rows FROM rows").get()?.rows ?? 0;
    expect(stored).toBeGreaterThan(0);
    console.log(`kill -9: ${ROUNDS} rounds, ${stored} rows in the database at the end`);
  },
  TIMEOUT_MS,
);
