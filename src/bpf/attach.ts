import type { AttachMode } from "../config/types.ts";
import { AyaflowError } from "../errors.ts";
import { claimName, closeFd, errno, errnoName } from "./libc.ts";
import { libbpf, takeMessages } from "./libbpf.ts";

/** BPF_TCX_INGRESS and BPF_TCX_EGRESS of enum bpf_attach_type. */
const TCX_ATTACH = { ingress: 46, egress: 47 } as const;
/** BPF_TC_INGRESS and BPF_TC_EGRESS of enum bpf_tc_attach_point. */
const TC_ATTACH_POINT = { ingress: 1, egress: 2 } as const;
/** Our own place on a clsact hook, away from the kernel's automatic priorities (49152 and below). */
const TC_HANDLE = 0xa7a;
const TC_PRIORITY = 41_127;
/** No interface has this index: a kernel with TCX looks for it, one without refuses the attach type. */
const NO_INTERFACE = 0x7fff_fff0;

/** BPF_F_BEFORE of <linux/bpf.h>. */
const BPF_F_BEFORE = 8;
/** Offset of prog_id in struct bpf_tc_opts. */
const TC_OPTS_PROG_ID = 16;
/** struct bpf_prog_info up to the name's end, and the name in it. */
const PROG_INFO_NAME = 64;
const BPF_OBJ_NAME_LEN = 16;
const PROG_INFO_BYTES = PROG_INFO_NAME + BPF_OBJ_NAME_LEN;

export type AttachMethod = "tcx" | "clsact";
export type Hook = "ingress" | "egress";
const HOOKS: readonly Hook[] = ["ingress", "egress"];

/** One program on one hook; `detach` takes away that and nothing else. */
export interface Attachment {
  method: AttachMethod;
  detach(): void;
}

/** Whether this kernel has TCX links (6.6 and newer); `programFd` is any loaded classifier. */
export function hasTcx(programFd: number): boolean {
  const fd = libbpf().bpf_link_create(programFd, NO_INTERFACE, TCX_ATTACH.ingress, null);
  const code = fd < 0 ? errnoName(fd) : "";
  if (fd >= 0) closeFd(fd);
  return code === "ENODEV";
}

/** The method `mode` means on this kernel. @throws AyaflowError when TCX is asked for and not there. */
export function chooseMethod(mode: AttachMode, programFd: number): AttachMethod {
  if (mode === "clsact") return "clsact";
  if (hasTcx(programFd)) return "tcx";
  if (mode === "tcx") {
    throw new AyaflowError(
      "--attach-mode tcx: this kernel has no TCX (Linux 6.6 and newer have); use auto or clsact",
    );
  }
  return "clsact";
}

/** Attaches one program to each hook of an interface. All or nothing. */
export function attachInterface(
  name: string,
  ifindex: number,
  programs: Record<Hook, number>,
  method: AttachMethod,
): Attachment[] {
  const done: Attachment[] = [];
  try {
    for (const hook of HOOKS) {
      const attach = method === "tcx" ? attachTcx : attachClsact;
      done.push(attach(name, ifindex, programs[hook], hook));
    }
  } catch (error) {
    for (const attachment of done) attachment.detach();
    throw error;
  }
  return done;
}

function attachTcx(name: string, ifindex: number, programFd: number, hook: Hook): Attachment {
  // Before the others: what they consume, drop or redirect would never reach us.
  const opts = new DataView(new ArrayBuffer(16));
  opts.setBigUint64(0, BigInt(opts.byteLength), true);
  opts.setUint32(8, BPF_F_BEFORE, true);
  const link = libbpf().bpf_link_create(programFd, ifindex, TCX_ATTACH[hook], new Uint8Array(opts.buffer));
  if (link < 0) throw attachError(name, hook, "TCX", link);
  return { method: "tcx", detach: () => closeFd(link) };
}

function hookOf(ifindex: number, hook: Hook): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigUint64(0, 24n, true);
  view.setInt32(8, ifindex, true);
  view.setUint32(12, TC_ATTACH_POINT[hook], true);
  return new Uint8Array(view.buffer);
}

function tcOpts(programFd: number): DataView {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, 32n, true);
  view.setInt32(8, programFd, true);
  view.setUint32(TC_OPTS_PROG_ID + 4, TC_HANDLE, true);
  view.setUint32(TC_OPTS_PROG_ID + 8, TC_PRIORITY, true);
  return view;
}

function attachClsact(name: string, ifindex: number, programFd: number, hook: Hook): Attachment {
  const bpf = libbpf();
  const where = hookOf(ifindex, hook);
  // Abstract sockets belong to the network namespace, as the interface does, and end with the process.
  const claim = claimName(`ayaflow/${ifindex}/${hook}`);
  if (claim === null) {
    throw new AyaflowError(
      `${name} ${hook}: another agent is attached. Stop it, or watch another interface.`,
    );
  }
  try {
    const created = bpf.bpf_tc_hook_create(where);
    if (created < 0 && errnoName(created) !== "EEXIST") throw attachError(name, hook, "clsact", created);
    removeStale(name, where, hook);
    const opts = tcOpts(programFd);
    const error = bpf.bpf_tc_attach(where, new Uint8Array(opts.buffer));
    if (error < 0) throw attachError(name, hook, "clsact", error);
    takeMessages();
    const ownId = opts.getUint32(TC_OPTS_PROG_ID, true);
    return {
      method: "clsact",
      detach: () => {
        // The qdisc stays: another program's filter may have joined it since.
        if (filterAt(where) === ownId) removeFilter(where);
        closeFd(claim);
      },
    };
  } catch (error) {
    closeFd(claim);
    throw error;
  }
}

/** Id of the program at our place on a hook; null where there is none. */
function filterAt(where: Uint8Array): number | null {
  const found = tcOpts(0);
  const error = libbpf().bpf_tc_query(where, new Uint8Array(found.buffer));
  takeMessages();
  return error < 0 ? null : found.getUint32(TC_OPTS_PROG_ID, true);
}

function removeFilter(where: Uint8Array): void {
  libbpf().bpf_tc_detach(where, new Uint8Array(tcOpts(0).buffer));
  takeMessages();
}

/** A clsact filter outlives a killed agent: ours goes, anybody else's stays and is told. */
function removeStale(name: string, where: Uint8Array, hook: Hook): void {
  const id = filterAt(where);
  if (id === null) return;
  const owner = programName(id);
  if (!owner.startsWith("ayaflow_")) {
    throw new AyaflowError(
      `${name} ${hook}: priority ${TC_PRIORITY} handle ${TC_HANDLE} is taken by the filter "${owner}". Move that filter.`,
    );
  }
  removeFilter(where);
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

const ATTACH_REMEDIES: Readonly<Record<string, string>> = {
  EPERM: " Run as root, or with CAP_NET_ADMIN and CAP_BPF.",
  ENOENT: " The kernel lacks sch_ingress or cls_bpf: modprobe sch_ingress cls_bpf.",
};

function attachError(name: string, hook: Hook, method: string, code: number): AyaflowError {
  const said = takeMessages();
  const reason = errnoName(code === -1 ? errno() : code);
  const remedy = ATTACH_REMEDIES[reason] ?? "";
  return new AyaflowError(
    `cannot attach to ${name} ${hook} (${method}): ${reason}.${remedy}${said === "" ? "" : `\n${said}`}`,
  );
}
