/** Makes src/bpf/layout.gen.ts from the BTF of the compiled object: one source for both sides of a structure. */

interface BtfMember {
  name: string;
  type_id: number;
  bits_offset: number;
}
interface BtfType {
  id: number;
  kind: string;
  name: string;
  size?: number;
  type_id?: number;
  nr_elems?: number;
  members?: BtfMember[];
  values?: { name: string; val: number }[];
}

const PREFIX = "ayaflow_";
const TRANSPARENT = new Set(["TYPEDEF", "CONST", "VOLATILE", "RESTRICT"]);

function sizeOf(types: ReadonlyMap<number, BtfType>, id: number): number {
  const type = types.get(id);
  if (type === undefined) throw new Error(`BTF type ${id} is missing`);
  if (TRANSPARENT.has(type.kind)) return sizeOf(types, type.type_id ?? 0);
  if (type.kind === "ARRAY") return (type.nr_elems ?? 0) * sizeOf(types, type.type_id ?? 0);
  if (type.kind === "PTR") return 8;
  if (type.size === undefined) throw new Error(`BTF type ${type.name || id} (${type.kind}) has no size`);
  return type.size;
}

/** Own structs and enums of a `bpftool btf dump -j` document as TypeScript, sorted by name. */
export function layoutSource(btf: { types: BtfType[] }): string {
  const types = new Map(btf.types.map((type) => [type.id, type]));
  const own = btf.types
    .filter((type) => type.name.startsWith(PREFIX))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const lines = [
    "// Made by build.ts from the BTF of bpf/ayaflow.bpf.c. Do not edit.",
    "",
    "/** Sizes and offsets in bytes; an array field has its whole size. */",
    "export const STRUCTS = {",
  ];
  for (const type of own.filter((t) => t.kind === "STRUCT")) {
    lines.push(`  ${type.name}: {`, `    size: ${type.size},`);
    for (const member of type.members ?? []) {
      lines.push(
        `    ${member.name}: { offset: ${member.bits_offset / 8}, size: ${sizeOf(types, member.type_id)} },`,
      );
    }
    lines.push("  },");
  }
  lines.push("} as const;", "", "export const ENUMS = {");
  for (const type of own.filter((t) => t.kind === "ENUM")) {
    lines.push(`  ${type.name}: {`);
    for (const value of type.values ?? []) lines.push(`    ${value.name}: ${value.val},`);
    lines.push("  },");
  }
  lines.push("} as const;", "");
  return lines.join("\n");
}
