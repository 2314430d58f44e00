/** Sets up a bare Debian machine for the profiles named as arguments: npm packages, Bun, Debian packages. Needs only Node. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const NODE_MAJOR = 20;
const NPM_STAMP = join(ROOT, "node_modules", ".ayaflow-setup");
/** Programs of packages that would install a service: unpacked here, never installed. */
const TOOLS = join(ROOT, "dist", "tools");
/** npm packages that a few tests and benchmarks need, hundreds of megabytes of them. */
const NPM_TOOLS = join(TOOLS, "npm");

/** Debian packages by profile, and whether the profile needs root for its own work. */
const PROFILES = {
  build: { root: false, packages: ["clang", "llvm", "libbpf-dev", "bpftool"], unpacked: {} },
  demo: {
    root: true,
    packages: [
      "iproute2",
      "iputils-ping",
      "curl",
      "openssl",
      "dnsmasq-base",
      "bind9-dnsutils",
      "iperf3",
      "ethtool",
      "util-linux",
    ],
    unpacked: {},
  },
  test: {
    root: true,
    packages: [
      "tcpreplay",
      "netsniff-ng",
      "tshark",
      "tcpdump",
      "nftables",
      "libcap2-bin",
      "procps",
      "jq",
      "tmux",
      "zsh",
      "fish",
      "chromium",
      "wget",
      "shellcheck",
      "ngtcp2-client",
      "ngtcp2-server",
      "qemu-user-static",
    ],
    unpacked: { prometheus: ["prometheus", "promtool"] },
    // The schema of the bill of materials, and what checks against it.
    npm: {
      "@cyclonedx/cyclonedx-library": "10.3.0",
      ajv: "8.20.0",
      "ajv-formats": "3.0.1",
      "ajv-formats-draft2019": "1.6.1",
    },
  },
  bench: {
    root: true,
    packages: ["gnuplot-nox"],
    unpacked: { softflowd: ["softflowd"] },
  },
  /** Guests of other kernels. */
  kernels: {
    root: true,
    packages: ["qemu-system-x86", "qemu-system-arm", "busybox-static", "cpio", "xz-utils", "zstd", "kmod"],
    unpacked: {},
  },
  /** The image, and the manifests run without a cluster. */
  image: {
    root: true,
    packages: ["buildah", "podman", "runc", "catatonit", "fuse-overlayfs"],
    unpacked: {},
    // The schemas that manifests are checked against.
    npm: { "kubernetes-models": "5.1.0", "@kubernetes-models/prometheus-operator": "6.0.0" },
  },
  /** The unit and the package under a systemd of their own. */
  service: {
    root: true,
    packages: ["systemd-container", "mmdebstrap", "lintian", "man-db", "groff-base", "mandoc"],
    unpacked: {},
  },
  peers: {
    root: false,
    packages: [],
    unpacked: {},
    npm: { "@duckdb/node-api": "1.5.6-r.1", chdb: "3.4.0" },
  },
};

/** Ends with one message: what is missing, and how to get it. */
function fail(what, how) {
  process.stderr.write(`setup: ${what}\n       ${how}\n`);
  process.exit(1);
}

function note(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** The lines of a failed command's output that say why. */
function reason(result) {
  const lines = `${result.stdout ?? ""}${result.stderr ?? ""}`
    .split("\n")
    .filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /^(E:|npm error \S)/.test(line)).slice(0, 6);
  const said = errors.length > 0 ? errors : lines.slice(-6);
  return said.join("\n       ") || String(result.error ?? `exit code ${result.status}`);
}

function capture(command, args, options = {}) {
  return spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
}

function checkMachine(profiles) {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < NODE_MAJOR) {
    fail(
      `Node.js ${process.versions.node} is too old.`,
      `Install Node.js ${NODE_MAJOR} or newer: https://nodejs.org/`,
    );
  }
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    fail(
      `AyaFlow is built on Linux, x64 or arm64; this is ${process.platform} ${process.arch}.`,
      "Use a Debian 12 machine.",
    );
  }
  if (process.getuid() !== 0 && profiles.some((profile) => PROFILES[profile].root)) {
    fail(
      "this makes network namespaces and loads eBPF programs, which only root may do.",
      "Run it as root: sudo npm test, or sudo npm run demo (sudo -E to keep proxy settings).",
    );
  }
}

function bunWorks() {
  return capture(join(ROOT, "node_modules", ".bin", "bun"), ["--version"]).status === 0;
}

/** Runs npm, the one that runs this script if one does. */
function npm(args, cwd) {
  const quiet = [...args, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const path = process.env.npm_execpath;
  return path?.endsWith(".js")
    ? capture(process.execPath, [path, ...quiet], { cwd })
    : capture("npm", quiet, { cwd });
}

/** npm packages as locked. Install scripts stay off; Bun's, which only links its executable, is run by name. */
function installNpmPackages() {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
  const current = existsSync(NPM_STAMP) && readFileSync(NPM_STAMP, "utf8") === lock;
  if (current) return;
  note("installing npm packages");
  const result = npm(["ci"], ROOT);
  if (result.status !== 0) {
    fail(
      `npm packages could not be installed:\n       ${reason(result)}`,
      "Check that the npm registry is reachable, then try again.",
    );
  }
  const linked = capture(process.execPath, ["install.js"], { cwd: join(ROOT, "node_modules", "bun") });
  if (linked.status !== 0 || !bunWorks()) {
    fail(
      `Bun does not run on this machine:\n       ${reason(linked)}`,
      "It needs glibc 2.17 and an x64 or arm64 processor.",
    );
  }
  writeFileSync(NPM_STAMP, lock);
}

function installedVersion(name) {
  const file = join(NPM_TOOLS, "node_modules", name, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}

/** The profiles' own npm packages, beside those of the project. */
function installNpmTools(profiles) {
  const wanted = profiles.flatMap((profile) => Object.entries(PROFILES[profile].npm ?? {}));
  const missing = wanted.filter(([name, version]) => installedVersion(name) !== version);
  if (missing.length === 0) return;
  const packages = missing.map(([name, version]) => `${name}@${version}`);
  note(`installing npm packages: ${packages.join(" ")}`);
  mkdirSync(NPM_TOOLS, { recursive: true });
  const manifest = join(NPM_TOOLS, "package.json");
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  const result = npm(["install", "--save-exact", ...packages], NPM_TOOLS);
  if (result.status !== 0) {
    fail(
      `npm packages could not be installed: ${packages.join(" ")}\n       ${reason(result)}`,
      "Check that the npm registry is reachable, then try again.",
    );
  }
}

/** Those of `packages` that dpkg does not have installed. */
function missingPackages(packages) {
  const query = capture("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...packages]);
  if (query.error) {
    fail(
      `this is not Debian; needed are the programs of: ${packages.join(" ")}.`,
      "Use Debian 12 or newer, for instance in a virtual machine or a privileged container.",
    );
  }
  const installed = new Set(
    query.stdout.split("\n").flatMap((line) => (line.endsWith(" installed") ? [line.split(" ")[0]] : [])),
  );
  return packages.filter((name) => !installed.has(name));
}

/** A command that is on the path or was unpacked before. */
function hasProgram(name) {
  const unpacked = ["bin", "sbin"].map((folder) => join(TOOLS, "usr", folder));
  const folders = [...unpacked, ...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => folder !== "" && existsSync(join(folder, name)));
}

function apt(args, options = {}) {
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: "noninteractive",
    DEBIAN_PRIORITY: "critical",
    LC_ALL: "C.UTF-8",
  };
  return capture("apt-get", ["-q", "-o", "DPkg::Lock::Timeout=300", ...args], {
    env,
    maxBuffer: 1 << 28,
    ...options,
  });
}

function unpack(name) {
  const folder = mkdtempSync(join(tmpdir(), "ayaflow-setup-"));
  try {
    const got = apt(["-o", "APT::Sandbox::User=root", "download", name], { cwd: folder });
    const archive = readdirSync(folder).find((file) => file.endsWith(".deb"));
    if (got.status !== 0 || archive === undefined) return got;
    mkdirSync(TOOLS, { recursive: true });
    return capture("dpkg-deb", ["-x", join(folder, archive), TOOLS]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function installDebianPackages(profiles) {
  const packages = [...new Set(profiles.flatMap((profile) => PROFILES[profile].packages))];
  const unpacked = profiles.flatMap((profile) => Object.entries(PROFILES[profile].unpacked));
  const missing = missingPackages(packages);
  const missingUnpacked = unpacked.flatMap(([name, programs]) => (programs.every(hasProgram) ? [] : [name]));
  const all = [...missing, ...missingUnpacked];
  if (all.length === 0) return;

  const how = `As root: apt-get update && apt-get install -y --no-install-recommends ${all.join(" ")}`;
  if (process.getuid() !== 0) fail(`missing Debian packages: ${all.join(" ")}.`, how);
  note(`installing Debian packages: ${all.join(" ")}`);
  const updated = apt(["update"]);
  const steps = [
    () =>
      missing.length === 0 ? { status: 0 } : apt(["install", "-y", "--no-install-recommends", ...missing]),
    ...missingUnpacked.map((name) => () => unpack(name)),
  ];
  for (const step of steps) {
    const result = step();
    if (result.status === 0) continue;
    const why = reason(updated.status === 0 ? result : updated);
    fail(`Debian packages could not be installed: ${all.join(" ")}\n       ${why}`, how);
  }
}

const profiles = process.argv.slice(2);
const unknown = profiles.filter((profile) => !Object.hasOwn(PROFILES, profile));
if (profiles.length === 0 || unknown.length > 0) {
  fail(
    `unknown profile: ${unknown.join(" ") || "none given"}.`,
    `Usage: node setup.mjs ${Object.keys(PROFILES).join(" ")}`,
  );
}
checkMachine(profiles);
installNpmPackages();
installDebianPackages(profiles);
installNpmTools(profiles);
