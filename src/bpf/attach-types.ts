import { AyaflowError } from "../errors.ts";
import { errno, errnoName } from "./libc.ts";
import { takeMessages } from "./libbpf.ts";

export type AttachMethod = "tcx" | "clsact";
export type Hook = "ingress" | "egress";

/** One program on one hook; `detach` takes away that and nothing else. */
export interface Attachment {
  hook: Hook;
  /** Whether the kernel still runs it: others can take it away, or what it hangs on. */
  isAttached(): boolean;
  detach(): void;
}

const ATTACH_REMEDIES: Readonly<Record<string, string>> = {
  EPERM: " Run as root, or with CAP_NET_ADMIN and CAP_BPF.",
  ENOENT: " The kernel lacks sch_ingress or cls_bpf: modprobe sch_ingress cls_bpf.",
};

/** What the kernel refused, in words; `code` is what libbpf returned. */
export function attachError(name: string, hook: Hook, method: string, code: number): AyaflowError {
  const said = takeMessages();
  const reason = errnoName(code === -1 ? errno() : code);
  const remedy = ATTACH_REMEDIES[reason] ?? "";
  return new AyaflowError(
    `cannot attach to ${name} ${hook} (${method}): ${reason}.${remedy}${said === "" ? "" : `\n${said}`}`,
  );
}
