/** The files the build stages and the executable carries inside: paths that node:fs can read. */
import objectPath from "../../dist/assets/ayaflow.bpf.o" with { type: "file" };
import libbpfPath from "../../dist/assets/libbpf.so.1" with { type: "file" };
import libelfPath from "../../dist/assets/libelf.so.1" with { type: "file" };
import libzstdPath from "../../dist/assets/libzstd.so.1" with { type: "file" };
import libzPath from "../../dist/assets/libz.so.1" with { type: "file" };

export const BPF_OBJECT = objectPath;
/**
 * File name, path and a symbol each has, in the order of their dependencies: the loader finds a library already loaded by
 * its SONAME. One that the build found not to be needed is an empty file.
 */
export const LIBBPF_DEPENDENCIES = [
  ["libz.so.1", libzPath, "zlibVersion"],
  ["libzstd.so.1", libzstdPath, "ZSTD_versionNumber"],
  ["libelf.so.1", libelfPath, "elf_version"],
] as const;
export const LIBBPF = libbpfPath;
