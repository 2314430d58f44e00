import { readdirSync, readFileSync } from "node:fs";
import type { AttachMode } from "../config/types.ts";
import { AyaflowError } from "../errors.ts";
import { closeFd, errno, errnoName } from "./libc.ts";
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
  const link = libbpf().bpf_link_create(programFd, ifindex, TCX_ATTACH[hook], null);
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
  view.setUint32(20, TC_HANDLE, true);
  view.setUint32(24, TC_PRIORITY, true);
  return view;
}

function attachClsact(name: string, ifindex: number, programFd: number, hook: Hook): Attachment {
  const bpf = libbpf();
  const where = hookOf(ifindex, hook);
  const created = bpf.bpf_tc_hook_create(where);
  if (created < 0 && errnoName(created) !== "EEXIST") throw attachError(name, hook, "clsact", created);
  removeStale(name, where, hook);
  const error = bpf.bpf_tc_attach(where, new Uint8Array(tcOpts(programFd).buffer));
  if (error < 0) throw attachError(name, hook, "clsact", error);
  takeMessages();
  return {
    method: "clsact",
    detach: () => {
      // The qdisc stays: another program's filter may have joined it since.
      bpf.bpf_tc_detach(where, new Uint8Array(tcOpts(0).buffer));
      takeMessages();
    },
  };
}

/** A clsact filter outlives a killed agent. Ours without an owner goes, a running agent's is refused. */
function removeStale(name: string, where: Uint8Array, hook: Hook): void {
  const bpf = libbpf();
  const found = tcOpts(0);
  if (bpf.bpf_tc_query(where, new Uint8Array(found.buffer)) < 0) {
    takeMessages();
    return;
  }
  const programId = found.getUint32(16, true);
  const owner = programOwner(programId);
  if (owner !== null) {
    throw new AyaflowError(
      `${name} ${hook}: an agent (pid ${owner}) is attached already. Stop it, or watch another interface.`,
    );
  }
  bpf.bpf_tc_detach(where, new Uint8Array(tcOpts(0).buffer));
}

/** A process that holds a program open, by /proc; null where there is none that we may see. */
function programOwner(programId: number): number | null {
  const wanted = `prog_id:\t${programId}\n`;
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
        if (readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8").includes(wanted)) return Number(pid);
      }
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return null;
}

function attachError(name: string, hook: Hook, method: string, code: number): AyaflowError {
  const said = takeMessages();
  const reason = errnoName(code === -1 ? errno() : code);
  const remedy = reason === "EPERM" ? " Run as root, or with CAP_NET_ADMIN and CAP_BPF." : "";
  return new AyaflowError(
    `cannot attach to ${name} ${hook} (${method}): ${reason}.${remedy}${said === "" ? "" : `\n${said}`}`,
  );
}
