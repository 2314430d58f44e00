import manifest from "../../package.json" with { type: "json" };
import { LIBRARIES } from "../bpf/libraries.ts";

/** Set by the build (`define`); absent when run from source. */
declare const AYAFLOW_BUILD_COMMIT: string | undefined;

export const VERSION: string = manifest.version;
export const COMMIT: string | null =
  typeof AYAFLOW_BUILD_COMMIT === "string" && AYAFLOW_BUILD_COMMIT !== "" ? AYAFLOW_BUILD_COMMIT : null;

/** What `ayaflow version` tells. */
export interface VersionInfo {
  version: string;
  /** Commit it was built from; null when run from source. */
  commit: string | null;
  bun: string;
  platform: string;
  arch: string;
  /** Debian's versions of the libraries inside, by file name; none when run from source. */
  libraries: Record<string, string>;
}

export function versionInfo(): VersionInfo {
  return {
    version: VERSION,
    commit: COMMIT,
    bun: Bun.version,
    platform: process.platform,
    arch: process.arch,
    libraries: Object.fromEntries(Object.entries(LIBRARIES).map(([file, { version }]) => [file, version])),
  };
}

/** One line for a person: `ayaflow 0.1.0 (commit abc1234, Bun 1.4.5, linux x64)`. */
export function formatVersion(info: VersionInfo): string {
  const commit = info.commit === null ? "" : `commit ${info.commit}, `;
  return `ayaflow ${info.version} (${commit}Bun ${info.bun}, ${info.platform} ${info.arch})`;
}
