/** BPF programs, maps and links of one process, by the kernel's own ids: other agents may run on the machine. */
import { readdirSync, readFileSync } from "node:fs";
import { exec } from "./process.ts";

const KINDS = { prog: "prog_id", map: "map_id", link: "link_id" } as const;
export type BpfKind = keyof typeof KINDS;
export type BpfObjects = Record<BpfKind, number[]>;

/** The text of a file, none when it has gone meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** What a process holds open, by /proc/PID/fdinfo. */
export function bpfObjectsOf(pid: number): BpfObjects {
  const texts = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => textOf(`/proc/${pid}/fdinfo/${fd}`));
  const ids = (key: string) =>
    texts.flatMap((text) => {
      const id = new RegExp(`^${key}:\\s*(\\d+)`, "m").exec(text)?.[1];
      return id === undefined ? [] : [Number(id)];
    });
  // A link's fdinfo names its program as well.
  return { prog: [...new Set(ids(KINDS.prog))], map: ids(KINDS.map), link: ids(KINDS.link) };
}

/** Those of `objects` that the kernel still has. */
export async function remaining(objects: BpfObjects): Promise<string[]> {
  const lists = await Promise.all(
    (Object.keys(KINDS) as BpfKind[]).map(async (kind) => {
      const { stdout } = await exec(["bpftool", "-j", kind, "show"]);
      const present = new Set((JSON.parse(stdout) as { id: number }[]).map(({ id }) => id));
      return objects[kind].filter((id) => present.has(id)).map((id) => `${kind} ${id}`);
    }),
  );
  return lists.flat();
}
