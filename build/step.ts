/** Steps of the build that are done again only when something they are made from has changed. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";

export const ROOT = join(import.meta.dir, "..");
export const DIST = join(ROOT, "dist");
/** What was downloaded; it outlives dist/. */
export const CACHE = join(ROOT, "node_modules", ".cache", "ayaflow");
const STAMPS = join(DIST, "stamps.json");

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

/** SHA-256 of a file, which is not read into memory at once. */
export async function sha256Of(file: string): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(file).stream()) hash.update(chunk);
  return hash.digest("hex");
}

/** One hash over names and contents of files, and over further strings. */
export async function digest(files: Iterable<string>, ...more: string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  for (const file of [...files].sort()) {
    hash.update(`${relative(ROOT, file)}\0`);
    hash.update(new Uint8Array(await Bun.file(file).arrayBuffer()));
  }
  for (const text of more) hash.update(`\0${text}`);
  return hash.digest("hex");
}

/** Absolute paths of the files in `folder` of the repository that the glob `pattern` fits. */
export function filesOf(folder: string, pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: join(ROOT, folder), absolute: true, onlyFiles: true })];
}

/** Does a step unless its inputs are those of last time and its outputs are still there. */
export async function step(
  name: string,
  inputs: string,
  outputs: string[],
  work: () => Promise<void>,
): Promise<void> {
  const stamps: Record<string, string> = existsSync(STAMPS) ? await Bun.file(STAMPS).json() : {};
  if (stamps[name] === inputs && outputs.every((file) => existsSync(file))) return;
  const started = performance.now();
  await work();
  await Bun.write(STAMPS, `${JSON.stringify({ ...stamps, [name]: inputs }, null, 2)}\n`);
  console.log(
    `${name}: ${outputs.map((file) => relative(ROOT, file)).join(", ")} (${Math.round(performance.now() - started)} ms)`,
  );
}
