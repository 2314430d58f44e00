/** dist/SHA256SUMS, which `sha256sum -c` reads. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sha256Of } from "./step.ts";

const NAME = "SHA256SUMS";

async function namesIn(list: string): Promise<string[]> {
  if (!existsSync(list)) return [];
  return [...(await Bun.file(list).text()).matchAll(/^[0-9a-f]{64} [ *](.+)$/gm)].map(
    ([, name]) => name ?? "",
  );
}

/**
 * Adds files, all of one folder, to the list in that folder. Those listed before stay while they exist; every sum is
 * taken anew. Gives the list's path.
 */
export async function addChecksums(files: readonly string[]): Promise<string> {
  const [first] = files;
  if (first === undefined) throw new Error("no files to take checksums of");
  const folder = dirname(first);
  const other = files.find((file) => dirname(file) !== folder);
  if (other !== undefined) throw new Error(`${other} is not in ${folder}, where the checksums are`);
  const list = join(folder, NAME);
  const before = (await namesIn(list)).filter((name) => existsSync(join(folder, name)));
  const names = [...new Set([...before, ...files.map((file) => basename(file))])].sort();
  const lines: string[] = [];
  for (const name of names) lines.push(`${await sha256Of(join(folder, name))}  ${name}\n`);
  await Bun.write(list, lines.join(""));
  return list;
}
