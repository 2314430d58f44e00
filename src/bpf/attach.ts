import type { AttachMode } from "../config/types.ts";
import { AyaflowError } from "../errors.ts";
import { claimInterface } from "./attach-claim.ts";
import { attachClsact } from "./attach-clsact.ts";
import { type Attachment, attachError, type AttachMethod, type Hook } from "./attach-types.ts";
import { closeFd, errnoName } from "./libc.ts";
import { libbpf } from "./libbpf.ts";

export type { AttachMethod, Hook } from "./attach-types.ts";

/** BPF_TCX_INGRESS and BPF_TCX_EGRESS of enum bpf_attach_type. */
const TCX_ATTACH = { ingress: 46, egress: 47 } as const;
/** No interface has this index: a kernel with TCX looks for it, one without refuses the attach type. */
const NO_INTERFACE = 0x7fff_fff0;
/** BPF_F_BEFORE of <linux/bpf.h>. */
const BPF_F_BEFORE = 8;
/** struct bpf_link_info up to the end of its tcx part, and that part's ifindex: 0 once the link hangs nowhere. */
const LINK_INFO_BYTES = 24;
const LINK_INFO_IFINDEX = 16;

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

/** Our programs on the hooks of one interface. */
export interface InterfaceAttachment {
  isAttached(): boolean;
  /** Attaches again what others took away. @throws AyaflowError when the kernel refuses. */
  repair(): void;
  detach(): void;
}

export interface AttachPlan {
  name: string;
  ifindex: number;
  /** The program of each hook that is wanted. */
  programs: Partial<Record<Hook, number>>;
  method: AttachMethod;
  /** Also beside another agent. */
  share: boolean;
}

/** Attaches one program to each hook of an interface that is wanted. All or nothing. */
export function attachInterface(plan: AttachPlan): InterfaceAttachment {
  const { name, ifindex, programs, method } = plan;
  const claim = claimInterface(name, ifindex, plan.share);
  const attachments: Attachment[] = [];
  const attach = (programFd: number, hook: Hook) =>
    method === "tcx"
      ? attachTcx(name, ifindex, programFd, hook)
      : attachClsact(name, ifindex, programFd, hook, claim);
  let isDetached = false;
  const detach = () => {
    if (isDetached) return;
    isDetached = true;
    for (const attachment of attachments.splice(0)) attachment.detach();
    claim.release();
  };
  const hooks = Object.entries(programs) as [Hook, number][];
  try {
    for (const [hook, programFd] of hooks) attachments.push(attach(programFd, hook));
  } catch (error) {
    detach();
    throw error;
  }
  return {
    isAttached: () => attachments.length > 0 && attachments.every((one) => one.isAttached()),
    repair() {
      for (const [hook, programFd] of hooks) {
        const at = attachments.findIndex((one) => one.hook === hook);
        if (attachments[at]?.isAttached() === true) continue;
        for (const dead of at < 0 ? [] : attachments.splice(at, 1)) dead.detach();
        attachments.push(attach(programFd, hook));
      }
    },
    detach,
  };
}

function attachTcx(name: string, ifindex: number, programFd: number, hook: Hook): Attachment {
  // Before the others: what they consume, drop or redirect would never reach us.
  const opts = new DataView(new ArrayBuffer(16));
  opts.setBigUint64(0, BigInt(opts.byteLength), true);
  opts.setUint32(8, BPF_F_BEFORE, true);
  const link = libbpf().bpf_link_create(programFd, ifindex, TCX_ATTACH[hook], new Uint8Array(opts.buffer));
  if (link < 0) throw attachError(name, hook, "TCX", link);
  return { hook, isAttached: () => linkIndex(link) !== 0, detach: () => closeFd(link) };
}

/** Index of the interface a TCX link hangs on, 0 where its interface is gone or somebody detached it. */
function linkIndex(link: number): number {
  const info = new Uint32Array(LINK_INFO_BYTES / 4);
  const error = libbpf().bpf_obj_get_info_by_fd(link, info, new Uint32Array([LINK_INFO_BYTES]));
  return error < 0 ? 0 : (info[LINK_INFO_IFINDEX / 4] ?? 0);
}
