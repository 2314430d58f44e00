/** What executables are made, and from what. */

export interface Target {
  /** Part of the executable's name: `ayaflow-linux-NAME`. */
  name: string;
  /** Node's name of the architecture. */
  arch: "x64" | "arm64";
  bun: Bun.Build.CompileTarget;
  /** npm package of the Bun runtime that the executable starts with. */
  runtime: "@oven/bun-linux-x64" | "@oven/bun-linux-x64-baseline" | "@oven/bun-linux-aarch64";
  /** Debian's name of the architecture. */
  debian: "amd64" | "arm64";
  /** Debian's folder of headers and libraries for the architecture. */
  triplet: string;
  /** `e_machine` of its ELF files (<linux/elf-em.h>). */
  machine: number;
}

const X64 = { arch: "x64", debian: "amd64", triplet: "x86_64-linux-gnu", machine: 62 } as const;
const ARM64 = { arch: "arm64", debian: "arm64", triplet: "aarch64-linux-gnu", machine: 183 } as const;

export const TARGETS: readonly Target[] = [
  { name: "x64", bun: "bun-linux-x64", runtime: "@oven/bun-linux-x64", ...X64 },
  // For processors without AVX2.
  { name: "x64-baseline", bun: "bun-linux-x64-baseline", runtime: "@oven/bun-linux-x64-baseline", ...X64 },
  { name: "arm64", bun: "bun-linux-arm64", runtime: "@oven/bun-linux-aarch64", ...ARM64 },
];

/** The target of this name. @throws Error that says which there are. */
export function targetOf(name: string): Target {
  const target = TARGETS.find((candidate) => candidate.name === name);
  if (target === undefined) {
    const names = TARGETS.map((candidate) => candidate.name).join(", ");
    throw new Error(`there is no build target "${name}"; there are: ${names}`);
  }
  return target;
}

/** File name of a target's executable. */
export function executableOf(target: Target): string {
  return `ayaflow-linux-${target.name}`;
}
