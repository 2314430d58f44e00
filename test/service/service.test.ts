import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { BINARY } from "../lab/support/agent.ts";
import { bpfObjectsOf, remaining } from "../lab/support/bpf.ts";
import { exec } from "../lab/support/process.ts";
import { waitFor } from "../lab/support/wait.ts";
import { ROOT } from "../support/command.ts";
import { Machine, MAKE_ROOT_MS } from "./support/root.ts";

const UNIT = join(ROOT, "systemd", "ayaflow.service");
const CONFIG = "/etc/ayaflow/ayaflow.yaml";
const STATE = "/var/lib/private/ayaflow";
/** CAP_NET_ADMIN, CAP_PERFMON and CAP_BPF. */
const CAPABILITIES = ((1n << 12n) | (1n << 38n) | (1n << 39n)).toString(16).padStart(16, "0");
const API = "http://127.0.0.1:3000";

let machine: Machine;
const show = (property: string) => machine.sh(`systemctl show -P ${property} ayaflow`);
const metric = async (name: string) =>
  Number(
    (await machine.sh(`curl -s ${API}/metrics`))
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.split(" ")[1],
  );

/** Writes a configuration and reloads it; the outcome is the metrics'. */
async function reload(config: string): Promise<void> {
  await machine.write(CONFIG, config);
  await machine.sh("systemctl reload ayaflow");
}

beforeAll(async () => {
  machine = await Machine.boot({
    "/usr/local/bin/ayaflow": BINARY,
    "/etc/systemd/system/ayaflow.service": UNIT,
  });
  await machine.sh(`ip link set lo up
    ip netns add peer
    ip link add veth0 type veth peer name veth1 netns peer
    ip addr add 10.99.0.1/24 dev veth0 && ip link set veth0 up
    ip -n peer addr add 10.99.0.2/24 dev veth1 && ip -n peer link set veth1 up`);
  await machine.write(CONFIG, "interface: veth0\n");
  await machine.sh("touch /run/before && systemctl start ayaflow", { timeoutMs: 30_000 });
}, MAKE_ROOT_MS);

afterAll(async () => {
  await machine[Symbol.asyncDispose]();
});

describe("the unit", () => {
  test("is without a mistake, and exposed at most 2.0", async () => {
    const { stdout, stderr } = await machine.exec([
      "systemd-analyze",
      "verify",
      "--man=no",
      "ayaflow.service",
    ]);
    expect(stdout + stderr).toBe("");
    const { stdout: report } = await exec(["systemd-analyze", "security", "--offline=true", UNIT]);
    const level = /Overall exposure level for ayaflow\.service: ([\d.]+)/.exec(report)?.[1];
    expect(Number(level)).toBeLessThanOrEqual(2);
  });
});

describe("the service", () => {
  test("is active when it is attached and answers", async () => {
    expect(await show("ActiveState")).toBe("active");
    expect(await show("StatusText")).toMatch(/^1 interface, \d+ connections?, coverage 100%$/);
    // Refused, as nothing listens there: a SYN and a RST.
    await machine.sh("! ip netns exec peer curl -s --local-port 5555 http://10.99.0.1:9/");
    const live = () => machine.sh(`curl -s '${API}/api/live?ip=10.99.0.2&port=9'`);
    const seen = await waitFor(
      async () => (JSON.parse(await live()) as { connections: Record<string, unknown>[] }).connections[0],
      "the connection is not shown",
    );
    expect(seen).toMatchObject({
      connection: "10.99.0.2:5555 -> 10.99.0.1:9",
      stats: { packets_sent: 1, packets_received: 1 },
    });
  });

  test("has exactly the capabilities of the unit, and a user of its own", async () => {
    const status = await machine.sh(`cat /proc/${await show("MainPID")}/status`);
    const sets = [...status.matchAll(/^Cap(Prm|Eff|Bnd|Amb):\t(\w+)$/gm)].map(([, , value]) => value);
    expect(sets).toEqual([CAPABILITIES, CAPABILITIES, CAPABILITIES, CAPABILITIES]);
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).not.toBe("0");
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test("writes nowhere but in its own folder", async () => {
    const uid = await machine.sh(`stat -c %u /proc/${await show("MainPID")}`);
    const written = await machine.sh(
      `find / -xdev -newer /run/before -type f -uid ${uid}; find /tmp /var/tmp /run -uid ${uid} -type f`,
    );
    const files = written.split("\n");
    expect(files).toContain(`${STATE}/traffic.db`);
    expect(files.filter((path) => !path.startsWith(`${STATE}/traffic.db`))).toEqual([]);
  });

  test("takes a configuration that has changed, and says what needs a restart", async () => {
    const pid = await show("MainPID");
    await reload("interface: veth0\nlog_level: debug\nport: 3999\nconnection_timeout: 7\n");
    await waitFor(
      async () => (await metric('ayaflow_config_reloads_total{outcome="applied"}')) === 1,
      "not taken",
    );
    expect(await machine.sh("journalctl -u ayaflow -o cat")).toMatch(
      /needs a restart: port\n.*changed=connection_timeout,log_level/,
    );
    expect(await show("MainPID")).toBe(pid);
  });

  test("refuses a wrong one as a whole, and goes on", async () => {
    await reload("interface: veth0\nallowed_ips: [192.0.2.0/24]\nretention_raw: never\nno_such: 1\n");
    await waitFor(
      async () => (await metric('ayaflow_config_reloads_total{outcome="refused"}')) === 1,
      "not refused",
    );
    expect(await metric("ayaflow_config_last_reload_successful")).toBe(0);
    await waitFor(
      async () => (await show("StatusText")).startsWith("configuration refused"),
      "status does not say so",
    );
    const log = await machine.sh("journalctl -u ayaflow -o cat");
    expect(log).toMatch(/configuration refused: .*retention_raw/);
    expect(log).toMatch(/configuration refused: .*no_such/);
    await reload("interface: veth0\n");
    await waitFor(async () => (await metric("ayaflow_config_last_reload_successful")) === 1, "not taken");
  });

  test("is restarted when it hangs", async () => {
    await machine.write(
      "/run/systemd/system/ayaflow.service.d/watchdog.conf",
      "[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\n",
    );
    await machine.sh("systemctl daemon-reload && systemctl restart ayaflow");
    const pid = await show("MainPID");
    // Longer than the watchdog: without a sign of life from the sweeps it would be another process by now.
    const started = performance.now();
    await waitFor(() => performance.now() - started > 5000, "time stands still");
    expect(await show("MainPID")).toBe(pid);
    await machine.sh(`kill -STOP ${pid}`);
    await waitFor(
      async () => (await show("ActiveState")) === "active" && (await show("MainPID")) !== pid,
      "it was not restarted",
      40_000,
    );
    expect(await machine.sh("journalctl -u ayaflow -o cat")).toContain("Watchdog timeout");
  });

  test("ends well: nothing stays attached, the database is closed", async () => {
    const { stdout } = await exec([
      "pgrep",
      "--ns",
      String(machine.leader),
      "--nslist",
      "pid",
      "-x",
      "ayaflow",
    ]);
    const objects = bpfObjectsOf(Number(stdout));
    expect((await remaining(objects)).length).toBeGreaterThan(0);
    await machine.sh("systemctl stop ayaflow");
    await waitFor(async () => (await remaining(objects)).length === 0, "something stays in the kernel");
    expect(await show("Result")).toBe("success");
    expect(await machine.sh(`ls ${STATE}`)).toBe("traffic.db");
  });
});
