/** What the guest asks its kernel: network namespaces, counters, the BPF programs there are. */
import { dlopen } from "bun:ffi";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "./programs.ts";

const CLONE_NEWNET = 0x4000_0000;
/** BPF_PROG_GET_NEXT_ID of enum bpf_cmd. */
const BPF_PROG_GET_NEXT_ID = 11;
const SYS_BPF = process.arch === "arm64" ? 280 : 321;
const { symbols: libc } = dlopen("libc.so.6", {
  setns: { args: ["i32", "i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "ptr", "u64"], returns: "i64" },
});

function join(path: string): void {
  const fd = openSync(path, "r");
  const failed = libc.setns(fd, CLONE_NEWNET) !== 0;
  closeSync(fd);
  if (failed) throw new Error(`cannot enter the network namespace ${path}`);
}

/** Runs `work` in a network namespace: sockets that it makes belong there ever after. */
export async function inside<T>(namespace: string, work: () => T | Promise<T>): Promise<T> {
  join(`/run/netns/${namespace}`);
  try {
    return await work();
  } finally {
    join("/proc/1/ns/net");
  }
}

/** Sets keys of /proc/sys/net. */
export async function sysctl(namespace: string, settings: Readonly<Record<string, string>>): Promise<void> {
  await inside(namespace, () => {
    for (const [key, value] of Object.entries(settings)) writeFileSync(`/proc/sys/net/${key}`, value);
  });
}

/** Ids of all BPF programs that are loaded. */
export function programIds(): number[] {
  const ids: number[] = [];
  // union bpf_attr: start_id, next_id, open_flags
  const attributes = new Uint32Array(4);
  while (Number(libc.syscall(SYS_BPF, BPF_PROG_GET_NEXT_ID, attributes, attributes.byteLength)) === 0) {
    ids.push(attributes[1] ?? 0);
    attributes[0] = attributes[1] ?? 0;
  }
  return ids;
}

export interface Amount {
  packets: number;
  bytes: number;
}

/** An interface's own counters since it was made. */
export async function counters(namespace: string, name: string): Promise<{ rx: Amount; tx: Amount }> {
  const { out } = await run(["ip", "-n", namespace, "-s", "-j", "link", "show", "dev", name]);
  const [link]: { stats64: { rx: Amount; tx: Amount } }[] = JSON.parse(out);
  if (link === undefined) throw new Error(`no counters of ${name}`);
  const { rx, tx } = link.stats64;
  return { rx: { packets: rx.packets, bytes: rx.bytes }, tx: { packets: tx.packets, bytes: tx.bytes } };
}

/** A namespace's counters of TCP segments (RFC 4022); `sent` is without those that are sent again. */
export async function tcpCounters(namespace: string): Promise<{ sent: number; retransmitted: number }> {
  const text = await inside(namespace, () => readFileSync("/proc/thread-self/net/snmp", "utf8"));
  const [names = "", values = ""] = text.split("\n").filter((line) => line.startsWith("Tcp:"));
  const keys = names.split(" ");
  const numbers = values.split(" ");
  const get = (key: string) => Number(numbers[keys.indexOf(key)]);
  return { sent: get("OutSegs"), retransmitted: get("RetransSegs") };
}

/** Number of BPF filters on a clsact hook. */
export async function clsactFilters(namespace: string, name: string, hook: string): Promise<number> {
  const { out } = await run(["tc", "-n", namespace, "filter", "show", "dev", name, hook], false);
  return out.split("\n").filter((line) => /\bbpf\b.*\bhandle\b/.test(line)).length;
}
