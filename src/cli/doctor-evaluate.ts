import { formatEndpoint } from "../api/addresses.ts";
import { longFlag } from "../config/options.ts";
import type { Config } from "../config/types.ts";
import { formatSize } from "../config/values.ts";
import type { Facts } from "./doctor-facts.ts";
import {
  type Capability,
  effectiveCapabilities,
  isAtLeast,
  kernelVersion,
  lockedMemoryLimit,
} from "./doctor-proc.ts";

export type CheckStatus = "ok" | "warn" | "fail";

export interface Check {
  name: string;
  status: CheckStatus;
  found: string;
  /** What to do; only where the status is not ok. */
  remedy?: string;
}

const MIB = 1024 ** 2;
/** Room that the programs' maps need per tracked connection, and besides. Rounded up generously. */
const MAP_BYTES_PER_CONNECTION = 352;
const MAP_BYTES_FIXED = 32 * MIB;
const LEAST_FREE_BYTES = 16 * MIB;

const ok = (name: string, found: string): Check => ({ name, status: "ok", found });
const warn = (name: string, found: string, remedy: string): Check => ({
  name,
  status: "warn",
  found,
  remedy,
});
const fail = (name: string, found: string, remedy: string): Check => ({
  name,
  status: "fail",
  found,
  remedy,
});

const megabytes = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;

function checkKernel({ kernelRelease }: Facts): Check {
  const version = kernelVersion(kernelRelease);
  const found = `Linux ${kernelRelease}`;
  if (version === undefined)
    return warn("kernel", found, "not a version that can be read; 5.10 or newer is needed");
  return isAtLeast(version, 5, 10)
    ? ok("kernel", found)
    : fail("kernel", found, "upgrade to Linux 5.10 or newer");
}

function checkBpf({ bpf }: Facts): Check {
  if (bpf.ok) return ok("bpf", bpf.detail);
  return fail(
    "bpf",
    bpf.detail,
    "run as root or with CAP_BPF and CAP_NET_ADMIN; in a container also allow bpf(2) in its seccomp profile",
  );
}

function checkBtf({ hasBtf }: Facts): Check {
  return ok(
    "btf",
    hasBtf ? "/sys/kernel/btf/vmlinux is there" : "no /sys/kernel/btf/vmlinux; it is not needed",
  );
}

function checkAttach({ attach }: Facts, { attachMode }: Config): Check {
  if ("hook" in attach) {
    const found = attach.hook === "tcx" ? "TCX links" : "clsact and cls_bpf";
    const missing = attach.missing ?? [];
    if (missing.length === 0) return ok("attach", found);
    return warn(
      "attach",
      `${found}; not loaded: ${missing.join(", ")}`,
      `modprobe ${missing.join(" ")} if it does not start: the kernel loads what is installed by itself`,
    );
  }
  const remedy =
    attachMode === "tcx"
      ? `TCX needs Linux 6.6; use ${longFlag("attach_mode")} auto`
      : "the kernel needs CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS (modprobe cls_bpf sch_ingress), " +
        "the user CAP_NET_ADMIN";
  return fail("attach", attach.error, remedy);
}

function checkCapabilities({ status, bpf, attach }: Facts): Check {
  const effective = effectiveCapabilities(status);
  if (effective === undefined) {
    return warn(
      "capabilities",
      "/proc/self/status cannot be read",
      "mount /proc; the other checks still count",
    );
  }
  const lacks = (name: Capability) => !effective.has(name) && !effective.has("CAP_SYS_ADMIN");
  const missing: Capability[] = [];
  if (lacks("CAP_BPF")) missing.push("CAP_BPF");
  // CAP_SYS_ADMIN does not stand for this one.
  if (!effective.has("CAP_NET_ADMIN")) missing.push("CAP_NET_ADMIN");
  const isPerfmonLacking = lacks("CAP_PERFMON");
  if (missing.length > 0) {
    if (isPerfmonLacking) missing.push("CAP_PERFMON");
    const caps = missing.map((name) => name.toLowerCase()).join(",");
    return fail(
      "capabilities",
      `without ${missing.join(", ")}`,
      `run as root or: setcap ${caps}+ep on the binary`,
    );
  }
  if (isPerfmonLacking && !(bpf.ok && "hook" in attach)) {
    return warn(
      "capabilities",
      "without CAP_PERFMON",
      "add CAP_PERFMON: this kernel may need it to load programs",
    );
  }
  return ok("capabilities", [...effective].filter((name) => name !== "CAP_SYS_RESOURCE").join(", "));
}

function checkMemoryLock({ kernelRelease, limits, status }: Facts, { maxConnections }: Config): Check {
  const name = "memory lock";
  const version = kernelVersion(kernelRelease);
  if (version !== undefined && isAtLeast(version, 5, 11)) {
    return ok(name, "BPF memory is charged to the cgroup since Linux 5.11; RLIMIT_MEMLOCK does not matter");
  }
  const limit = lockedMemoryLimit(limits);
  const needed = MAP_BYTES_FIXED + maxConnections * MAP_BYTES_PER_CONNECTION;
  if (limit === undefined) return warn(name, "/proc/self/limits cannot be read", "mount /proc");
  if (limit >= needed) return ok(name, limit === Number.POSITIVE_INFINITY ? "unlimited" : megabytes(limit));
  const found = `RLIMIT_MEMLOCK is ${megabytes(limit)}, about ${megabytes(needed)} are needed`;
  const remedy = "ulimit -l unlimited, or LimitMEMLOCK=infinity in the systemd unit";
  const canRaise = effectiveCapabilities(status)?.has("CAP_SYS_RESOURCE") === true;
  return canRaise ? warn(name, found, remedy) : fail(name, found, remedy);
}

function checkInterfaces({ interfaces, links }: Facts): Check {
  const name = "interface";
  if (interfaces.problems.length > 0) {
    return fail(name, interfaces.problems.join("; "), `choose with ${longFlag("interface")}`);
  }
  if (interfaces.waiting.length > 0) {
    return warn(
      name,
      interfaces.waiting.join("; "),
      "the agent starts and watches it as soon as there is one",
    );
  }
  const states = interfaces.names.map((link) => {
    const state = links[link] ?? "unknown";
    return state === "unknown" ? link : `${link} (${state})`;
  });
  const down = interfaces.names.filter((link) => links[link] === "down");
  const found = states.join(", ");
  return down.length === 0
    ? ok(name, found)
    : warn(name, found, `ip link set ${down[0]} up; a link that is down has no traffic`);
}

const FOLDER_REMEDIES: Readonly<Record<string, string>> = {
  EROFS: "the file system is read-only; mount a writable one there",
  EISDIR: "that is a folder; name a file",
  ENOTDIR: "a part of the path is a file",
};

function checkDatabase({ database }: Facts, { dbPath, maxDbSizeBytes }: Config): Check {
  const name = "database";
  const flag = longFlag("db_path");
  if (database.error !== null) {
    const remedy = FOLDER_REMEDIES[database.error] ?? `make ${database.folder} writable for this user`;
    return fail(
      name,
      `${dbPath} cannot be written (${database.error})`,
      `${remedy}, or choose another ${flag}`,
    );
  }
  if (database.problem !== null)
    return fail(name, database.problem, `move the file away or choose another ${flag}`);
  const state = database.exists ? `${dbPath}, ${megabytes(database.bytes)}` : `${dbPath} will be created`;
  if (database.freeBytes === null) return ok(name, state);
  const found = `${state}, ${megabytes(database.freeBytes)} free`;
  const growth = Math.max(maxDbSizeBytes - database.bytes, LEAST_FREE_BYTES);
  if (database.freeBytes >= growth) return ok(name, found);
  return warn(
    name,
    found,
    `history may grow to ${formatSize(maxDbSizeBytes)} and stops when the disk is full; free space or lower ${longFlag("max_db_size")}`,
  );
}

const PORT_PROBLEMS: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: ["is in use", "stop what listens there (another ayaflow?) or choose another --port"],
  EACCES: ["is not permitted", "ports below 1024 need root or CAP_NET_BIND_SERVICE; choose another --port"],
  EADDRNOTAVAIL: ["is not an address of this host", "choose another --listen"],
  EAFNOSUPPORT: ["is of an address family this host does not have", "choose another --listen"],
};

function checkPort({ portError }: Facts, { listen, port }: Config): Check {
  const endpoint = formatEndpoint(listen, port);
  if (portError === null)
    return ok("port", port === 0 ? `any free port of ${listen}` : `${endpoint} is free`);
  const [what, remedy] = PORT_PROBLEMS[portError] ?? [
    `fails with ${portError}`,
    "choose another --listen or --port",
  ];
  return fail("port", `${endpoint} ${what}`, remedy);
}

/** Judges the facts: one check each, in the order a reader would mend them. */
export function evaluate(facts: Facts, config: Config): Check[] {
  return [
    checkKernel(facts),
    checkCapabilities(facts),
    checkBpf(facts),
    checkBtf(facts),
    checkAttach(facts, config),
    checkMemoryLock(facts, config),
    checkInterfaces(facts),
    checkDatabase(facts, config),
    checkPort(facts, config),
  ];
}
