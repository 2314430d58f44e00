/** What the build put into the executable, to tell it from anything else. */

/** Of one library, as the build saw it. */
export interface LibraryRecord {
  /** Debian's version of the source package. */
  version: string;
  sha256: string;
}

/** Set by the build (`define`), JSON; absent when run from source. */
declare const AYAFLOW_LIBRARIES: string | undefined;

/** By file name, e.g. `libbpf.so.1`; empty when run from source. */
export const LIBRARIES: Readonly<Record<string, LibraryRecord>> =
  typeof AYAFLOW_LIBRARIES === "string"
    ? (JSON.parse(AYAFLOW_LIBRARIES) as Record<string, LibraryRecord>)
    : {};

const REMEDY = "the executable is damaged or was put together wrongly: get it again and check its SHA-256";

/** Says what is wrong with the bytes of a library by the build's record of it, or nothing. */
export function libraryProblem(record: LibraryRecord | undefined, bytes: Uint8Array): string | undefined {
  if (record === undefined) return undefined;
  const found = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  if (found === record.sha256) return undefined;
  return `its SHA-256 is ${found.slice(0, 12)}..., not ${record.sha256.slice(0, 12)}...; ${REMEDY}`;
}

/** Major version that the agent's structures are of; minor versions only add to them. */
const LIBBPF_MAJOR = 1;

/** Says what is wrong with the version that libbpf says it is, or nothing. */
export function libbpfVersionProblem(
  record: LibraryRecord | undefined,
  found: { major: number; minor: number },
): string | undefined {
  // A Debian version: an epoch may stand before it.
  const [, recorded] = /^(?:\d+:)?(\d+\.\d+)/.exec(record?.version ?? "") ?? [];
  const said = `${found.major}.${found.minor}`;
  const isRight = found.major === LIBBPF_MAJOR && (recorded === undefined || recorded === said);
  if (isRight) return undefined;
  return `this agent needs libbpf ${recorded ?? `${LIBBPF_MAJOR}.x`}, the built-in one is ${said}; ${REMEDY}`;
}
