import { expect, test } from "bun:test";
import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BINARY, startAgent } from "../lab/support/agent.ts";
import { statsAfter } from "../lab/support/answers.ts";
import { createLab } from "../lab/support/lab.ts";
import { exec } from "../lab/support/process.ts";

const NOBODY = 65534;
const CAPABILITIES = ["bpf", "net_admin", "perfmon"];
/** Bits of the capabilities above in /proc/PID/status (<linux/capability.h>). */
const CAPABILITY_BITS = (1n << 39n) | (1n << 12n) | (1n << 38n);

/** The executable and the glibc it is linked to, nothing else: no /tmp, no /sys, no /etc, no shell. */
async function makeRoot(root: string): Promise<void> {
  await mkdir(join(root, "proc"), { recursive: true });
  await mkdir(join(root, "db"));
  await cp(BINARY, join(root, "ayaflow"), { dereference: true });
  const { stdout } = await exec(["ldd", BINARY]);
  for (const [library] of stdout.matchAll(/\/lib\S+/g)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
}

/** A script that makes the root read-only, adds /proc and the database folder, and runs the agent as nobody. */
function launcher(root: string): string {
  const names = CAPABILITIES.map((name) => `cap_${name}`).join(",");
  return `set -e
mount --bind ${root} ${root}
mount -o remount,bind,ro ${root}
mount -t proc proc ${root}/proc
mount -t tmpfs -o size=32m,mode=0700,uid=${NOBODY},gid=${NOBODY} tmpfs ${root}/db
exec capsh --chroot=${root} --keep=1 --gid=${NOBODY} --uid=${NOBODY} --caps=${names}+eip --addamb=${names} \\
  --shell=/ayaflow -- "$@"
`;
}

test("alone with glibc in a read-only root, as nobody with three capabilities", async () => {
  await using lab = await createLab();
  const root = lab.path("root");
  await makeRoot(root);
  await writeFile(lab.path("launch.sh"), launcher(root));
  await chmod(lab.folder, 0o755);
  const command = ["unshare", "--mount", "sh", lab.path("launch.sh")];

  const doctor = await lab.server.exec([
    ...command,
    "doctor",
    "--interface",
    "veth0",
    "--db-path",
    "/db/traffic.db",
  ]);
  expect(doctor.stdout).not.toContain("fail");

  await using agent = await startAgent(lab.server, lab.folder, { command, dbPath: "/db/traffic.db" });
  const status = await Bun.file(`/proc/${agent.program.pid}/status`).text();
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
  expect(field("Uid")).toBe(String(NOBODY));
  expect(BigInt(`0x${field("CapEff")}`)).toBe(CAPABILITY_BITS);
  expect(BigInt(`0x${field("CapPrm")}`)).toBe(CAPABILITY_BITS);

  await lab.client.exec(["ping", "-c", "3", "-i", "0.05", lab.server.ipv4]);
  const stats = await statsAfter(agent, 6);
  expect(stats.coverage).toBe(1);
  const { exitCode, stderr } = await agent.stop();
  expect({ exitCode, errors: stderr.match(/ERROR.*/g) }).toEqual({ exitCode: 0, errors: null });
});
