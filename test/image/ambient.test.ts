import { expect, test } from "bun:test";
import { chown, mkdir } from "node:fs/promises";
import { exec } from "../lab/support/process.ts";
import { createLab, VETH } from "../lab/support/lab.ts";
import { ROOT } from "../support/command.ts";
import { BINARY } from "../lab/support/agent.ts";
import { join } from "node:path";

const TIMEOUT_MS = 120_000;
const USER = 65_532;
const CAPABILITIES = ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"];

interface Spec {
  process: Record<string, unknown>;
  root: unknown;
  mounts: { destination: string; type?: string; source?: string; options?: string[] }[];
  linux: { namespaces: { type: string; path?: string }[]; resources?: unknown };
}

/** As containerd makes it of the manifest: no ambient capabilities, which podman adds for a user that is not root. */
function asContainerd(spec: Spec, root: string, network: string, args: string[]): Spec {
  const set = CAPABILITIES;
  const namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
  return {
    ...spec,
    process: {
      ...spec.process,
      terminal: false,
      user: { uid: USER, gid: USER },
      args,
      noNewPrivileges: true,
      rlimits: [],
      capabilities: { bounding: set, effective: set, permitted: set },
    },
    root: { path: root, readonly: true },
    mounts: [
      ...spec.mounts.filter(({ destination }) => !/cgroup|mqueue/.test(destination)),
      { destination: "/var/lib/ayaflow", type: "tmpfs", source: "tmpfs", options: [`uid=${USER}`] },
    ],
    linux: { namespaces: [...namespaces, { type: "network", path: network }] },
  };
}

test(
  "file capabilities reach a user that is not root under no_new_privs, without ambient ones",
  async () => {
    await using lab = await createLab();
    const root = lab.path("root");
    const arch = process.arch === "x64" ? "amd64" : process.arch;
    await exec(["sh", join(ROOT, "build", "image-root.sh"), arch, root, BINARY]);
    await mkdir(lab.path("bundle"));
    await exec(["runc", "spec", "--bundle", lab.path("bundle")]);
    const file = lab.path("bundle/config.json");
    const spec = (await Bun.file(file).json()) as Spec;
    const doctor = async (): Promise<string> => {
      const args = ["/usr/bin/ayaflow", "doctor", "--interface", VETH];
      const network = `/run/netns/${lab.server.namespace.name}`;
      await Bun.write(file, JSON.stringify(asContainerd(spec, root, network, args)));
      const run = [
        "runc",
        "--root",
        lab.path("runc"),
        "run",
        "--bundle",
        lab.path("bundle"),
        lab.server.namespace.name,
      ];
      return (await exec(run, { check: false })).stdout;
    };
    const found = await doctor();
    expect(found).toMatch(/^ok +capabilities +CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF$/m);
    expect(found).toMatch(/^ok +attach /m);
    expect(found).not.toContain("fail");

    // Without them on the file it has none: this is what the image needs them for. A change of owner clears them.
    await chown(join(root, "usr/bin/ayaflow"), 0, 0);
    expect(await doctor()).toMatch(/^fail +capabilities +without CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON/m);
  },
  TIMEOUT_MS,
);
