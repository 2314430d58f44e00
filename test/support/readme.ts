import { join } from "node:path";
import { ROOT } from "./command.ts";

/** Commands of a way to install that README shows under a bold title, one each, without comments. */
export async function readmeCommands(title: string): Promise<string[]> {
  const text = await Bun.file(join(ROOT, "README.md")).text();
  const [, block] =
    new RegExp(`^\\*\\*${title}\\*\\*[^\\n]*\\n\`\`\`sh\\n([^]*?)\`\`\``, "m").exec(text) ?? [];
  if (block === undefined) throw new Error(`README.md shows no commands under "${title}"`);
  return block.replaceAll("\\\n", "").trim().split("\n");
}
