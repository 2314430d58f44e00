/** What README promises a stranger, on a Debian that has seen nothing of it: a few lines to a first answer. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addChecksums } from "../../build/checksums.ts";
import { HOST_ARCHITECTURE, makePackage, packageInputs } from "../../packaging/deb.ts";
import { BINARY } from "../lab/support/agent.ts";
import { waitFor } from "../lab/support/wait.ts";
import { ROOT } from "../support/command.ts";
import { readmeCommands } from "../support/readme.ts";
import { Machine, MAKE_ROOT_MS } from "./support/root.ts";

const RELEASES = "https://github.com/ayaflow/ayaflow/releases";
const PORT = 8099;
const TIMEOUT_MS = 120_000;
const MAX_LINES = 4;
/** Serves a folder's files by their names alone, whatever release they are asked from. */
const SERVER = `Bun.serve({
  hostname: "127.0.0.1",
  port: ${PORT},
  fetch: async ({ url }) => {
    const file = Bun.file("/release/" + new URL(url).pathname.split("/").at(-1));
    return (await file.exists()) ? new Response(file) : new Response("not here", { status: 404 });
  },
});`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-readme-"));
  const names =
    HOST_ARCHITECTURE === "arm64"
      ? ["ayaflow-linux-arm64"]
      : ["ayaflow-linux-x64", "ayaflow-linux-x64-baseline"];
  for (const name of names) await copyFile(BINARY, join(folder, name));
  const made = await makePackage(await packageInputs(HOST_ARCHITECTURE, BINARY), folder, ["-Zgzip", "-z1"]);
  await copyFile(join(ROOT, "install.sh"), join(folder, "install.sh"));
  await addChecksums([...names.map((name) => join(folder, name)), made]);
  await writeFile(join(folder, "server.ts"), SERVER);
  // Strangers are root in a minimal root, which has no sudo.
  await writeFile(join(folder, "sudo"), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
}, MAKE_ROOT_MS);

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A Debian with a neighbour at its default route, and the release within reach. */
async function stranger(): Promise<Machine> {
  const machine = await Machine.boot({
    "/release": folder,
    "/usr/local/sbin/sudo": join(folder, "sudo"),
    "/opt/server": BINARY,
  });
  await machine.sh(`ip link set lo up
    ip netns add peer
    ip link add veth0 type veth peer name veth1 netns peer
    ip addr add 10.99.0.1/24 dev veth0 && ip link set veth0 up
    ip -n peer addr add 10.99.0.2/24 dev veth1 && ip -n peer link set veth1 up
    ip route add default via 10.99.0.2
    systemd-run --quiet --setenv=BUN_BE_BUN=1 /opt/server /release/server.ts`);
  await waitFor(
    async () =>
      (await machine.exec(["curl", "-s", `http://127.0.0.1:${PORT}/`], { check: false })).exitCode === 0,
    "the release is not served",
  );
  return machine;
}

test.each(["Executable", "Debian package"])(
  "%s: from README's lines to an answer that shows a connection",
  async (title) => {
    const commands = await readmeCommands(title);
    expect(commands.length).toBeLessThanOrEqual(MAX_LINES);
    const ask = commands.at(-1) ?? "";
    expect(ask).toBe("curl -s --retry 9 --retry-connrefused localhost:3000/api/live");
    await using machine = await stranger();
    const here = (line: string) =>
      line.replaceAll(RELEASES, `http://127.0.0.1:${PORT}`).replaceAll("amd64", HOST_ARCHITECTURE);
    const script = commands.slice(0, -1).map(here).join("\n");
    // What is left running in the background must not hold this line's output.
    await machine.sh(
      `cd /root && export INSTALL_AYAFLOW_URL=http://127.0.0.1:${PORT} && { set -e\n${script}\n} > /root/log 2>&1 < /dev/null`,
      { timeoutMs: TIMEOUT_MS },
    );
    // Just as it stands, at once: it has to wait for the agent by itself.
    expect(JSON.parse(await machine.sh(ask))).toHaveProperty("connections");
    const answer = await waitFor(async () => {
      await machine.sh(
        "ping -c 1 -W 1 10.99.0.2 || ip netns exec peer curl -s --max-time 1 http://10.99.0.1:9/ || true",
      );
      const { stdout, exitCode } = await machine.exec(["sh", "-c", ask], { check: false });
      const live = exitCode === 0 ? (JSON.parse(stdout) as { connections: { connection: string }[] }) : null;
      return live?.connections.find(({ connection }) => connection.includes("10.99.0.")) ?? null;
    }, "no connection is shown");
    expect(answer.connection).toContain("10.99.0.2");
  },
  TIMEOUT_MS,
);
