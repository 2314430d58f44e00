/** The .deb on a Debian with a systemd: what an administrator meets, from the first installation to the purge. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOST_ARCHITECTURE, makePackage, packageInputs } from "../../packaging/deb.ts";
import { BINARY } from "../lab/support/agent.ts";
import { exec } from "../lab/support/process.ts";
import { waitFor } from "../lab/support/wait.ts";
import { Machine, MAKE_ROOT_MS } from "./support/root.ts";

const NEWER = "99.0.0";
/** Quick: what is tested is what is inside. */
const COMPRESSION = ["-Zgzip", "-z1"];
const API = "http://127.0.0.1:3000";
const CONFIG = "/etc/ayaflow/ayaflow.yaml";
/** Where dpkg and systemd keep their own books. */
const BOOKS = /^\/(?:proc|sys|dev|run|tmp|var\/(?:log|cache|tmp|lib\/(?:dpkg|systemd)))(?:\/|$)/;

let folder: string;
let machine: Machine;
let [older, newer] = ["", ""];
const show = (property: string) => machine.sh(`systemctl show -P ${property} ayaflow`);
const install = (path: string) => machine.sh(`dpkg -i /packages/${path} 2>&1`);

async function files(): Promise<string[]> {
  const all = await machine.sh("find / -xdev -not -name '.wh.*' -print 2>/dev/null");
  return all
    .split("\n")
    .filter((path) => !BOOKS.test(path))
    .sort();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-package-"));
  const inputs = await packageInputs(HOST_ARCHITECTURE, BINARY);
  [older, newer] = (await Promise.all(
    [inputs.version, NEWER].map(
      async (version) => await makePackage({ ...inputs, version }, folder, COMPRESSION),
    ),
  )) as [string, string];
  machine = await Machine.boot({ "/packages": folder });
  await machine.sh("ip link set lo up");
}, MAKE_ROOT_MS);

afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe("the package", () => {
  test("has nothing that lintian complains of", async () => {
    const { stdout, stderr } = await exec(["lintian", "--allow-root", "--fail-on", "none", older]);
    expect(stdout + stderr).toBe("");
  });

  test("is the same bytes when it is made again", async () => {
    const again = join(folder, "again");
    await mkdir(again);
    const second = await makePackage(await packageInputs(HOST_ARCHITECTURE, BINARY), again, COMPRESSION);
    const hash = async (path: string) => Bun.hash(await Bun.file(path).bytes());
    expect(await hash(second)).toBe(await hash(older));
    await rm(again, { recursive: true });
  });
});

describe("on a Debian", () => {
  let before: string[];

  test("installed, it runs and answers", async () => {
    before = await files();
    await install(older.replace(`${folder}/`, ""));
    expect(await show("ActiveState")).toBe("active");
    expect(await show("ExecStart")).toContain("path=/usr/bin/ayaflow ");
    expect(await machine.sh("systemctl is-enabled ayaflow")).toBe("enabled");
    expect(JSON.parse(await machine.sh(`curl -s ${API}/api/live`))).toMatchObject({ connections: [] });
    expect(await machine.sh("systemd-analyze verify --man=no ayaflow.service 2>&1")).toBe("");
    expect(await machine.sh("ayaflow config check")).toContain("db_path");
    const completion = "source /usr/share/bash-completion/completions/ayaflow && complete -p ayaflow";
    expect(await machine.exec(["bash", "-c", completion])).toMatchObject({ exitCode: 0 });
  });

  test("upgraded, it is restarted, and what the administrator wrote stays", async () => {
    await machine.sh(`echo 'log_level: debug' >> ${CONFIG}`);
    const pid = await show("MainPID");
    await install(newer.replace(`${folder}/`, ""));
    expect(await machine.sh("dpkg-query -W -f '${Version}' ayaflow")).toBe(NEWER);
    await waitFor(async () => (await show("ActiveState")) === "active", "it does not run");
    expect(await show("MainPID")).not.toBe(pid);
    expect(await machine.sh(`tail -1 ${CONFIG}`)).toBe("log_level: debug");
  });

  test("with a configuration that it would refuse, the agent that runs is left alone", async () => {
    const pid = await show("MainPID");
    await machine.sh(`echo 'no_such_option: 1' >> ${CONFIG}`);
    const said = await install(older.replace(`${folder}/`, ""));
    expect(said).toContain("not restarted, as the configuration is wrong");
    expect(said).toContain("no_such_option");
    expect([await show("ActiveState"), await show("MainPID")]).toEqual(["active", pid]);
    await machine.sh(`sed -i /no_such_option/d ${CONFIG}`);
  });

  test("stopped and disabled, it stays so", async () => {
    await machine.sh("systemctl disable --now ayaflow 2>&1");
    await install(newer.replace(`${folder}/`, ""));
    expect(await show("ActiveState")).toBe("inactive");
    expect(await machine.sh("systemctl is-enabled ayaflow || true")).toBe("disabled");
  });

  test("removed, it stops and keeps configuration and history; purged, it leaves nothing", async () => {
    await machine.sh("systemctl enable --now ayaflow 2>&1");
    await machine.sh("dpkg -r ayaflow");
    expect(await machine.sh("pgrep -x ayaflow || true")).toBe("");
    const kept = await files();
    expect(kept).toContain(CONFIG);
    expect(kept).toContain("/var/lib/private/ayaflow/traffic.db");
    await install(newer.replace(`${folder}/`, ""));
    expect(await show("ActiveState")).toBe("active");
    await machine.sh("dpkg -r ayaflow");
    await machine.sh("dpkg -P ayaflow");
    const left = (await files()).filter((path) => !before.includes(path));
    // systemd's own, made for the first service with a user that is not in /etc/passwd.
    expect(left.filter((path) => path !== "/var/lib/private")).toEqual([]);
  });
});
