/** What the BPF objects of a process take of the kernel. */
import { bpfObjectsOf } from "../../lab/support/bpf.ts";
import { exec } from "../../lab/support/process.ts";

export interface MapMemory {
  name: string;
  type: string;
  maxEntries: number;
  /** Bytes that the kernel holds for it. */
  bytes: number;
}

export interface ProgramMemory {
  name: string;
  /** Bytes of the program as the verifier left it, as machine code, and of the pages it lies in. */
  translated: number;
  jited: number;
  bytes: number;
}

export interface LockedMemory {
  maps: MapMemory[];
  programs: ProgramMemory[];
  mapBytes: number;
  programBytes: number;
}

async function show(kind: "map" | "prog", id: number): Promise<Record<string, string | number | undefined>> {
  const { stdout } = await exec(["bpftool", "-j", kind, "show", "id", String(id)]);
  return JSON.parse(stdout) as Record<string, string | number>;
}

function total(of: readonly { bytes: number }[]): number {
  return of.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Locked memory of the maps and programs that process `pid` holds open. */
export async function lockedMemory(pid: number): Promise<LockedMemory> {
  const ids = bpfObjectsOf(pid);
  const maps = await Promise.all([...new Set(ids.map)].map((id) => show("map", id)));
  const programs = await Promise.all(ids.prog.map((id) => show("prog", id)));
  const memory = {
    maps: maps.map((map) => ({
      name: String(map["name"]),
      type: String(map["type"]),
      maxEntries: Number(map["max_entries"]),
      bytes: Number(map["bytes_memlock"] ?? 0),
    })),
    programs: programs.map((program) => ({
      name: String(program["name"]),
      translated: Number(program["bytes_xlated"] ?? 0),
      jited: Number(program["bytes_jited"] ?? 0),
      bytes: Number(program["bytes_memlock"] ?? 0),
    })),
  };
  return { ...memory, mapBytes: total(memory.maps), programBytes: total(memory.programs) };
}
