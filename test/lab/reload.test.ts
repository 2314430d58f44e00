/** SIGHUP to a running agent: what changes, what stays, and what a terminal changes about it. */
import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { BINARY, type RunningAgent, startAgent } from "./support/agent.ts";
import { metricSum } from "./support/answers.ts";
import { bpfObjectsOf, remaining } from "./support/bpf.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { waitFor } from "./support/wait.ts";

const TIMEOUT_MS = 60_000;

/** An agent that takes its interfaces and guards from a file; flags would go over it. */
async function configured(lab: Lab, config: string): Promise<RunningAgent> {
  await writeFile(lab.path("ayaflow.yaml"), config);
  const command = [
    "sh",
    "-c",
    // The lab's own --interface goes; what it says of port and database stays.
    'binary=$1; config=$2; shift 4; exec "$binary" -c "$config" "$@"',
    "sh",
    BINARY,
    lab.path("ayaflow.yaml"),
  ];
  return await startAgent(lab.server, lab.folder, { command });
}

async function reload(lab: Lab, agent: RunningAgent, config: string): Promise<void> {
  await writeFile(lab.path("ayaflow.yaml"), config);
  process.kill(agent.program.pid, "SIGHUP");
}

const said = (agent: RunningAgent, words: RegExp) =>
  waitFor(
    () => words.test(agent.program.stderr),
    () => `the log does not say ${words}: ${agent.program.stderr}`,
  );

async function interfaces(agent: RunningAgent): Promise<string[]> {
  const metrics = await agent.text("/metrics");
  const names = [...metrics.matchAll(/^ayaflow_packets_total\{interface="([^"]+)"/gm)].map(
    ([, name]) => name ?? "",
  );
  return [...new Set(names)].sort();
}

test(
  "interfaces, guards and the log's level are taken; port and table wait for a restart",
  async () => {
    await using lab = await createLab();
    await lab.server.exec(["ip", "link", "add", "extra0", "type", "veth", "peer", "name", "extra1"]);
    await using agent = await configured(lab, "interface: veth0\n");
    expect(await interfaces(agent)).toEqual(["veth0"]);

    await reload(
      lab,
      agent,
      'interface: [veth0, "extra*"]\nmax_connections: 128\nlisten: "127.0.0.2"\nlog_level: debug\n',
    );
    await said(agent, /needs a restart: max_connections, listen/);
    await said(agent, /configuration reloaded changed=interface,log_level/);
    await waitFor(async () => (await interfaces(agent)).length === 3, "the new interfaces are not watched");
    expect(await interfaces(agent)).toEqual(["extra0", "extra1", "veth0"]);

    await reload(lab, agent, "interface: veth0\n");
    await waitFor(async () => (await interfaces(agent)).length === 1, "interfaces are still watched");

    await writeFile(lab.path("token"), "a-token-of-32-bytes-for-this-test\n", { mode: 0o600 });
    await reload(lab, agent, `interface: veth0\napi_token_file: ${lab.path("token")}\nhealth_public: true\n`);
    const status = async () => (await fetch(`${agent.url}/api/stats`)).status;
    await waitFor(async () => (await status()) === 401, "nobody asks for the token");
    expect((await fetch(`${agent.url}/api/health`)).status).toBe(200);
    await reload(lab, agent, "interface: veth0\nallowed_ips: [192.0.2.1]\n");
    await waitFor(async () => (await status()) === 403, "everybody is let in");
    await reload(lab, agent, "interface: veth0\n");
    await waitFor(async () => (await status()) === 200, "nobody is let in");
  },
  TIMEOUT_MS,
);

test(
  "a configuration with mistakes is refused as a whole, each of them in the log",
  async () => {
    await using lab = await createLab();
    await lab.server.exec(["ip", "link", "add", "extra0", "type", "veth", "peer", "name", "extra1"]);
    await using agent = await configured(lab, "interface: veth0\n");
    const refused = async () =>
      metricSum(await agent.text("/metrics"), "ayaflow_config_reloads_total", 'outcome="refused"');
    const wrong = [
      'interface: "*"\nport: never\nno_such: 1\n',
      "interface: [veth0, extra0, nosuch0]\n",
      "interface: [\n",
    ];
    for (const [index, config] of wrong.entries()) {
      await reload(lab, agent, config);
      await waitFor(async () => (await refused()) === index + 1, `${config} is not refused`);
      expect(await interfaces(agent)).toEqual(["veth0"]);
    }
    for (const word of ["port", "no_such", "nosuch0", "not valid YAML"]) {
      expect(agent.program.stderr).toMatch(new RegExp(`configuration refused: .*${word}`));
    }
    await reload(lab, agent, "interface: veth0\n");
    await waitFor(
      async () => metricSum(await agent.text("/metrics"), "ayaflow_config_last_reload_successful") === 1,
      "the good one is not taken",
    );
  },
  TIMEOUT_MS,
);

test(
  "on a terminal that is closed, the agent ends and leaves nothing attached",
  async () => {
    await using lab = await createLab();
    const command = `exec ${BINARY} --interface veth0 --db-path ${lab.path("terminal.db")}`;
    // script(1) gives it a terminal of its own, which goes with script.
    const terminal = lab.server.spawn(["script", "-qefc", command, "/dev/null"]);
    await waitFor(
      () => terminal.stdout.includes("ready"),
      () => `not ready: ${terminal.stdout}`,
    );
    const { stdout } = await lab.server.exec([
      "pgrep",
      "-f",
      `^${BINARY} --interface veth0 --db-path ${lab.path("")}`,
    ]);
    const objects = bpfObjectsOf(Number(stdout));
    expect((await remaining(objects)).length).toBeGreaterThan(0);
    await terminal.stop("SIGKILL");
    await waitFor(async () => (await remaining(objects)).length === 0, "something stays in the kernel");
    expect(await Bun.file(lab.path("terminal.db-wal")).exists()).toBe(false);
  },
  TIMEOUT_MS,
);
