import { AyaflowError } from "../errors.ts";
import { type Attachment, attachError, type Hook } from "./attach-types.ts";
import { closeFd, errnoName } from "./libc.ts";
import { libbpf, takeMessages } from "./libbpf.ts";

/** BPF_TC_INGRESS and BPF_TC_EGRESS of enum bpf_tc_attach_point. */
const TC_ATTACH_POINT = { ingress: 1, egress: 2 } as const;
/** Our own place on a clsact hook, away from the kernel's automatic priorities (49152 and below); further agents come after it. */
const TC_HANDLE = 0xa7a;
const TC_PRIORITY = 41_127;
/** Offset of prog_id in struct bpf_tc_opts. */
const TC_OPTS_PROG_ID = 16;
/** struct bpf_prog_info up to the name's end, and the name in it. */
const PROG_INFO_NAME = 64;
const BPF_OBJ_NAME_LEN = 16;
const PROG_INFO_BYTES = PROG_INFO_NAME + BPF_OBJ_NAME_LEN;

function hookOf(ifindex: number, hook: Hook): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigUint64(0, 24n, true);
  view.setInt32(8, ifindex, true);
  view.setUint32(12, TC_ATTACH_POINT[hook], true);
  return new Uint8Array(view.buffer);
}

function tcOpts(place: number, programFd: number): DataView {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, 32n, true);
  view.setInt32(8, programFd, true);
  view.setUint32(TC_OPTS_PROG_ID + 4, TC_HANDLE + place, true);
  view.setUint32(TC_OPTS_PROG_ID + 8, TC_PRIORITY, true);
  return view;
}

/** Adds our filter at `place`. What dead agents left at the places in `free` goes. */
export function attachClsact(
  name: string,
  ifindex: number,
  programFd: number,
  hook: Hook,
  { place, free }: { place: number; free: readonly number[] },
): Attachment {
  const bpf = libbpf();
  const where = hookOf(ifindex, hook);
  const created = bpf.bpf_tc_hook_create(where);
  if (created < 0 && errnoName(created) !== "EEXIST") throw attachError(name, hook, "clsact", created);
  // A qdisc just made has no filters.
  if (created < 0) for (const one of free) removeStale(name, where, hook, one, one === place);
  const opts = tcOpts(place, programFd);
  const error = bpf.bpf_tc_attach(where, new Uint8Array(opts.buffer));
  if (error < 0) throw attachError(name, hook, "clsact", error);
  takeMessages();
  const ownId = opts.getUint32(TC_OPTS_PROG_ID, true);
  const isAttached = () => filterAt(where, place) === ownId;
  return {
    hook,
    isAttached,
    detach: () => {
      // The qdisc stays: another program's filter may have joined it since.
      if (isAttached()) removeFilter(where, place);
    },
  };
}

/** Id of the program at a place on a hook; null where there is none. */
function filterAt(where: Uint8Array, place: number): number | null {
  const found = tcOpts(place, 0);
  const error = libbpf().bpf_tc_query(where, new Uint8Array(found.buffer));
  takeMessages();
  return error < 0 ? null : found.getUint32(TC_OPTS_PROG_ID, true);
}

function removeFilter(where: Uint8Array, place: number): void {
  libbpf().bpf_tc_detach(where, new Uint8Array(tcOpts(place, 0).buffer));
  takeMessages();
}

/** A clsact filter outlives a killed agent: ours goes, anybody else's stays and is told where we need its place. */
function removeStale(name: string, where: Uint8Array, hook: Hook, place: number, isNeeded: boolean): void {
  const id = filterAt(where, place);
  if (id === null) return;
  const owner = programName(id);
  if (owner.startsWith("ayaflow_")) removeFilter(where, place);
  else if (isNeeded) {
    throw new AyaflowError(
      `${name} ${hook}: priority ${TC_PRIORITY} handle ${TC_HANDLE + place} is taken by the filter "${owner}". Move that filter.`,
    );
  }
}

/** Name of a loaded program; empty when it is gone or may not be asked for. */
function programName(id: number): string {
  const bpf = libbpf();
  const fd = bpf.bpf_prog_get_fd_by_id(id);
  if (fd < 0) return "";
  const info = new Uint8Array(PROG_INFO_BYTES);
  const error = bpf.bpf_obj_get_info_by_fd(fd, info, new Uint32Array([PROG_INFO_BYTES]));
  closeFd(fd);
  if (error < 0) return "";
  const name = info.subarray(PROG_INFO_NAME, PROG_INFO_NAME + BPF_OBJ_NAME_LEN);
  return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
}
