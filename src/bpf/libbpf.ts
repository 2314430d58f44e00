import { dlopen, JSCallback, type Pointer } from "bun:ffi";
import { closeSync, readFileSync, statSync, writeSync } from "node:fs";
import { AyaflowError, errorMessage } from "../errors.ts";
import { LIBBPF, LIBBPF_DEPENDENCIES } from "./assets.ts";
import { formatVaList, memfd } from "./libc.ts";
import { LIBRARIES, libbpfVersionProblem, libraryProblem } from "./libraries.ts";

/** Looked for first, as another version may lack some of the others. */
const VERSION_SYMBOLS = {
  libbpf_major_version: { args: [], returns: "u32" },
  libbpf_minor_version: { args: [], returns: "u32" },
} as const;

const SYMBOLS = {
  libbpf_set_print: { args: ["ptr"], returns: "ptr" },
  bpf_object__open_mem: { args: ["ptr", "usize", "ptr"], returns: "ptr" },
  bpf_object__load: { args: ["ptr"], returns: "i32" },
  bpf_object__close: { args: ["ptr"], returns: "void" },
  bpf_object__find_map_by_name: { args: ["ptr", "ptr"], returns: "ptr" },
  bpf_object__find_program_by_name: { args: ["ptr", "ptr"], returns: "ptr" },
  bpf_map__fd: { args: ["ptr"], returns: "i32" },
  bpf_map__set_max_entries: { args: ["ptr", "u32"], returns: "i32" },
  bpf_map__set_initial_value: { args: ["ptr", "ptr", "usize"], returns: "i32" },
  bpf_program__fd: { args: ["ptr"], returns: "i32" },
  bpf_map_lookup_elem: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  bpf_map_update_elem: { args: ["i32", "ptr", "ptr", "u64"], returns: "i32" },
  bpf_map_delete_elem: { args: ["i32", "ptr"], returns: "i32" },
  bpf_link_create: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  bpf_tc_hook_create: { args: ["ptr"], returns: "i32" },
  bpf_tc_attach: { args: ["ptr", "ptr"], returns: "i32" },
  bpf_tc_detach: { args: ["ptr", "ptr"], returns: "i32" },
  bpf_tc_query: { args: ["ptr", "ptr"], returns: "i32" },
  bpf_prog_get_fd_by_id: { args: ["u32"], returns: "i32" },
  bpf_obj_get_info_by_fd: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  bpf_prog_test_run_opts: { args: ["i32", "ptr"], returns: "i32" },
  ring_buffer__new: { args: ["i32", "ptr", "ptr", "ptr"], returns: "ptr" },
  ring_buffer__consume: { args: ["ptr"], returns: "i32" },
  ring_buffer__free: { args: ["ptr"], returns: "void" },
} as const;

const LIBBPF_NAME = "libbpf.so.1";

/** libbpf's level for messages that come with every load. */
const PRINT_WARN = 0;
const KEPT_MESSAGE_BYTES = 65536;

/**
 * Writes an embedded library to memory. Returns its descriptor and a path the loader can open.
 * @throws AyaflowError when it is not the one that the build put in: a damaged one would crash the process.
 */
function stage(name: string, path: string): { fd: number; path: string } {
  const bytes = readFileSync(path);
  const problem = libraryProblem(LIBRARIES[name], bytes);
  if (problem !== undefined) throw new AyaflowError(`cannot load the built-in ${name}: ${problem}`);
  const fd = memfd(name);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  return { fd, path: `/proc/self/fd/${fd}` };
}

/** Links libbpf. @throws AyaflowError when it is another version than the build put in. */
function linkLibbpf(path: string) {
  const { symbols } = dlopen(path, VERSION_SYMBOLS);
  const problem = libbpfVersionProblem(LIBRARIES[LIBBPF_NAME], {
    major: symbols.libbpf_major_version(),
    minor: symbols.libbpf_minor_version(),
  });
  if (problem !== undefined) throw new AyaflowError(problem);
  return dlopen(path, SYMBOLS);
}

function load() {
  const staged: number[] = [];
  const open = <T>(name: string, embedded: string, link: (path: string) => T): T => {
    try {
      const { fd, path } = stage(name, embedded);
      staged.push(fd);
      return link(path);
    } catch (error) {
      if (error instanceof AyaflowError) throw error;
      throw new AyaflowError(
        `cannot load the built-in ${name}: ${errorMessage(error)}. ` +
          "The agent needs /proc mounted and a glibc of Debian 12 or newer.",
        { cause: error },
      );
    }
  };
  for (const [name, path, symbol] of LIBBPF_DEPENDENCIES) {
    if (statSync(path).size === 0) continue;
    open(name, path, (file) => dlopen(file, { [symbol]: { args: [], returns: "ptr" } }));
  }
  const { symbols } = open(LIBBPF_NAME, LIBBPF, linkLibbpf);
  // Not earlier: the loader knows libraries by path, and a number given back would be used again.
  for (const fd of staged) closeSync(fd);
  return symbols;
}

export type Libbpf = ReturnType<typeof load>;

let loaded: Libbpf | undefined;
let messages = "";
// libbpf keeps the function pointer for good, so must we.
let printCallback: JSCallback | undefined;

/** libbpf, loaded on first use from the executable itself. It prints nothing; see `takeMessages`. */
export function libbpf(): Libbpf {
  if (loaded === undefined) {
    loaded = load();
    printCallback = new JSCallback(
      (level: number, format: Pointer, list: Pointer) => {
        if (level === PRINT_WARN && messages.length < KEPT_MESSAGE_BYTES)
          messages += formatVaList(format, list);
        return 0;
      },
      { args: ["u32", "ptr", "ptr"], returns: "i32" },
    );
    loaded.libbpf_set_print(printCallback.ptr);
  }
  return loaded;
}

/** What libbpf said since the last call, the verifier's log included. */
export function takeMessages(): string {
  const text = messages.trim();
  messages = "";
  return text;
}
