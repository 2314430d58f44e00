import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chown, mkdir, readdir } from "node:fs/promises";
import { createLab } from "../lab/support/lab.ts";
import { at, listAt, type Value, textOf } from "./support/manifests.ts";
import { configMap, placeFlags, podSpec, securityFlags } from "./support/pod.ts";
import { crossed, startContainer } from "./support/running.ts";
import { Store } from "./support/store.ts";
import { exchange } from "./support/exchange.ts";
import { readmeCommands } from "../support/readme.ts";
import { waitFor } from "../lab/support/wait.ts";

const TIMEOUT_MS = 120_000;
const IMAGE = "localhost/ayaflow:test";
const USER = 65_532;
/** CAP_NET_ADMIN, CAP_PERFMON and CAP_BPF of <linux/capability.h>. */
const CAPABILITIES = (1n << 12n) | (1n << 38n) | (1n << 39n);

let store: Store;
let agent: Value;
let owner: Value;
let folders: Record<string, string>;

beforeAll(async () => {
  store = await Store.create();
  await store.build(IMAGE);
  const spec = await podSpec();
  [agent = {}] = listAt(spec, "containers");
  [owner = {}] = listAt(spec, "initContainers");
  folders = { config: store.path("config"), data: store.path("data"), bpf: "/sys/fs/bpf" };
  for (const name of ["config", "data"]) await mkdir(store.path(name));
  await Bun.write(store.path("config/ayaflow.yaml"), textOf(at(await configMap(), "data", "ayaflow.yaml")));
}, TIMEOUT_MS);
afterAll(() => store[Symbol.asyncDispose]());

describe("the image", () => {
  test("runs as nobody of the host, without a shell; its health check is the executable", async () => {
    const { stdout } = await store.podman(["image", "inspect", IMAGE]);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        Config: {
          User: `${USER}:${USER}`,
          Entrypoint: ["/usr/bin/ayaflow"],
          Labels: { "org.opencontainers.image.title": "AyaFlow" },
        },
        Healthcheck: { Test: ["CMD", "/usr/bin/ayaflow", "health"] },
      },
    ]);
  });

  test("contains the executable, glibc, certificates and an account, nothing else", async () => {
    const { stdout: container } = await store.podman(["create", IMAGE]);
    const { stdout: mount } = await store.podman(["mount", container.trim()]);
    const entries = await readdir(mount.trim(), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((one) => one.isFile())
      .map((one) => `${one.parentPath}/${one.name}`.slice(mount.trim().length + 1))
      .filter((file) => !file.startsWith("lib"));
    expect(files.toSorted()).toEqual([
      "etc/group",
      "etc/passwd",
      "etc/ssl/certs/ca-certificates.crt",
      "usr/bin/ayaflow",
    ]);
    await store.podman(["rm", container.trim()]);
  });

  test("starts without a capability, for the commands that need none", async () => {
    const run = ["run", "--rm", "--network", "none", "--cap-drop", "all", IMAGE, "version"];
    expect((await store.podman(run)).stdout).toMatch(/^ayaflow \d/);
  });
});

test(
  "with the manifest's security context: exact, writes nothing outside its volume, healthy",
  async () => {
    await using lab = await createLab();
    const init = [...securityFlags(owner), ...placeFlags(owner, folders)];
    const [program = "", ...args] = listAt(owner, "command").map(textOf);
    await chown(store.path("data"), 0, 0);
    await store.podman([
      "run",
      "--rm",
      "--network",
      "none",
      ...init,
      "--entrypoint",
      program,
      IMAGE,
      ...args,
    ]);

    const flags = [...securityFlags(agent), ...placeFlags(agent, folders)];
    // All but the loopback of the namespace, so that the API's own answers are not counted.
    const arguments_ = ["--interface", "veth0"];
    expect(await crossed(lab.server)).toEqual({ packets: 0, bytes: 0 });
    await using running = await startContainer(store, lab.server, [...flags, IMAGE, ...arguments_]);
    const status = await Bun.file(`/proc/${running.pid}/status`).text();
    const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
    expect([field("Uid"), field("NoNewPrivs"), field("Seccomp")]).toEqual([String(USER), "1", "2"]);
    for (const set of ["CapEff", "CapPrm", "CapBnd"]) expect(BigInt(`0x${field(set)}`)).toBe(CAPABILITIES);

    await exchange(lab);
    const counted = await crossed(lab.server);
    const { total, summed } = await running.answers.seen(counted.packets);
    expect(total).toEqual(counted);
    expect(summed).toEqual(counted);
    expect(counted.bytes).toBeGreaterThan(500_000);

    expect((await store.podman(["healthcheck", "run", running.id])).exitCode).toBe(0);
    const health = await store.podman(["exec", running.id, "/usr/bin/ayaflow", "health"]);
    expect(health.stdout).toMatch(/^ok: \d+ active connections\n$/);
    const shell = await store.podman(["exec", running.id, "sh", "-c", "true"], { check: false });
    expect(shell.exitCode).not.toBe(0);

    expect(await readdir(store.path("data"))).toContain("traffic.db");
    const { stdout: changes } = await store.podman(["diff", running.id]);
    // Mount points, and what podman itself puts there.
    const own =
      /^[AC] \/(dev|etc|etc\/(ayaflow|hosts|hostname|resolv\.conf|mtab)|proc|run|run\/\.containerenv|run\/secrets|sys|tmp|var)$/;
    expect(changes.split("\n").filter((line) => line !== "" && !own.test(line))).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "README's lines lead to an answer that shows a connection",
  async () => {
    const [run = "", ask = ""] = await readmeCommands("Image");
    expect(run).toStartWith("docker run -d --name ayaflow --network host ");
    expect(ask).toBe("curl -s --retry 9 --retry-connrefused localhost:3000/api/live");
    await using lab = await createLab();
    await lab.server.namespace.ip("route", "add", "default", "via", lab.client.ipv4);
    // The namespace stands for the host, and the image was built here.
    const words = run.replace(/^docker run -d --name ayaflow --network host /, "").split(/\s+/);
    const args = words.map((word) => (word.startsWith("ghcr.io/ayaflow/ayaflow:") ? IMAGE : word));
    await using running = await startContainer(store, lab.server, args);
    const { connections } = await waitFor(async () => {
      await lab.client.exec(["ping", "-c", "1", lab.server.ipv4]);
      const { stdout } = await lab.server.exec(ask.split(" "));
      const live = JSON.parse(stdout) as { connections: { connection: string }[] };
      return live.connections.length > 0 ? live : null;
    }, "no connection is shown");
    expect(connections[0]?.connection).toContain(lab.client.ipv4);
    expect(running.pid).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
