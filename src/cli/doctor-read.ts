import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { release } from "node:os";
import { dirname, resolve } from "node:path";
import type { Config } from "../config/types.ts";
import { errorMessage } from "../errors.ts";
import type { DatabaseFacts, DoctorProbes, Facts, LinkState } from "./doctor-facts.ts";

const IFF_UP = 0x1;

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : errorMessage(error);
}

/** `probe`'s answer, or `otherwise` of what it threw. */
function attempt<T>(probe: () => T, otherwise: (message: string) => T): T {
  try {
    return probe();
  } catch (error) {
    return otherwise(errorMessage(error));
  }
}

/** Administrative state from sysfs; `unknown` where that is not mounted. */
function linkState(name: string): LinkState {
  const flags = readOrEmpty(`/sys/class/net/${name}/flags`).trim();
  if (flags === "") return "unknown";
  return (Number(flags) & IFF_UP) === 0 ? "down" : "up";
}

function nearestFolder(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

function writeError(path: string, exists: boolean, folder: string): string | null {
  try {
    if (exists && statSync(path).isDirectory()) return "EISDIR";
    if (!statSync(folder).isDirectory()) return "ENOTDIR";
    if (exists) accessSync(path, constants.R_OK | constants.W_OK);
    // SQLite makes its -wal and -shm files beside the database.
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

/** What is at `dbPath` and around it; creates nothing. */
export function readDatabaseFacts(
  dbPath: string,
  checkDatabase: DoctorProbes["checkDatabase"],
): DatabaseFacts {
  const path = resolve(dbPath);
  const folder = nearestFolder(path);
  const exists = existsSync(path);
  const error = writeError(path, exists, folder);
  const free = attempt<number | null>(
    () => {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    () => null,
  );
  return {
    exists,
    folder,
    error,
    freeBytes: free,
    bytes: exists ? statSync(path).size : 0,
    problem: exists && error === null ? attempt(() => checkDatabase(path), String) : null,
  };
}

/** Listens for a moment; resolves to the error code, or null when it worked. */
export function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (error) => done(errorCode(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(null)));
  });
}

/** Reads the system and asks the probes. Changes nothing that stays. */
export async function readFacts(config: Config, probes: DoctorProbes): Promise<Facts> {
  const interfaces = attempt(
    () => probes.resolveInterfaces(config.interfaces),
    (message) => ({ names: [], problems: [message], waiting: [] }),
  );
  return {
    kernelRelease: release(),
    hasBtf: existsSync("/sys/kernel/btf/vmlinux"),
    status: readOrEmpty("/proc/self/status"),
    limits: readOrEmpty("/proc/self/limits"),
    bpf: attempt(
      () => probes.bpf(),
      (detail) => ({ ok: false, detail }),
    ),
    attach: attempt(
      () => probes.attach(config.attachMode),
      (error) => ({ error }),
    ),
    interfaces,
    links: Object.fromEntries(interfaces.names.map((name) => [name, linkState(name)])),
    database: readDatabaseFacts(config.dbPath, (path) => probes.checkDatabase(path)),
    portError: await tryListen(config.listen, config.port),
  };
}
