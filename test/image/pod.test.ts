import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, readdir, stat } from "node:fs/promises";
import { createLab } from "../lab/support/lab.ts";
import { exchange } from "./support/exchange.ts";
import { at, listAt, textOf } from "./support/manifests.ts";
import { asPod, configMap, podSpec } from "./support/pod.ts";
import { Answers, crossed } from "./support/running.ts";
import { Store } from "./support/store.ts";
import { problems } from "./support/schema.ts";

const TIMEOUT_MS = 120_000;
const USER = 65_532;

let store: Store;
beforeAll(async () => {
  store = await Store.create();
  await store.build(textOf(at(listAt(await podSpec(), "containers"), 0, "image")));
}, TIMEOUT_MS);
afterAll(() => store[Symbol.asyncDispose]());

test(
  "the pod template runs, is exact on real traffic, and answers",
  async () => {
    await using lab = await createLab();
    const data = store.path("data");
    await mkdir(data);
    const pod = asPod(await podSpec(), data);
    expect(await problems(pod)).toEqual([]);
    const file = store.path("pod.yaml");
    await Bun.write(file, [await configMap(), pod].map((one) => JSON.stringify(one)).join("\n---\n"));

    // For podman in it, the lab's namespace is the host's.
    const { name } = lab.server.namespace;
    await store.podman(["kube", "play", "--seccomp-profile-root", store.folder, file], { namespace: name });
    const log = async () => {
      const { stdout, stderr } = await store.podman(["logs", "ayaflow-ayaflow"], { check: false });
      return `${stdout}${stderr}`;
    };
    await using answers = await Answers.open(store, lab.server, log);
    expect((await stat(data)).uid).toBe(USER);
    expect(await readdir(data)).toContain("traffic.db");

    const before = await crossed(lab.server);
    expect(before).toEqual({ packets: 0, bytes: 0 });
    await exchange(lab);
    const counted = await crossed(lab.server);
    const { total, summed } = await answers.seen(counted.packets);
    expect(total).toEqual(counted);
    expect(summed).toEqual(counted);
    expect(counted.bytes).toBeGreaterThan(500_000);

    const health = await store.podman(["exec", "ayaflow-ayaflow", "/usr/bin/ayaflow", "health"], {
      namespace: name,
    });
    expect(health.stdout).toMatch(/^ok: /);
    const { stdout: inspected } = await store.podman(["inspect", "ayaflow-ayaflow"]);
    expect(JSON.parse(inspected)).toMatchObject([
      { Config: { User: `${USER}:${USER}` }, HostConfig: { ReadonlyRootfs: true, Privileged: false } },
    ]);
    // `kube down` of podman 4.3 gives no time to end in.
    await store.podman(["stop", "--time", "15", "ayaflow-ayaflow"], { namespace: name });
    expect(await readdir(data)).not.toContain("traffic.db-wal");
  },
  TIMEOUT_MS,
);
