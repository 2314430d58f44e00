import { dlopen } from "bun:ffi";
import { AyaflowError } from "../errors.ts";
import { errno, errnoName } from "./libc.ts";

/** `_LINUX_CAPABILITY_VERSION_3` of <linux/capability.h>: 64 capabilities in two structs of three words. */
const VERSION_3 = 0x2008_0522;
const THIS_THREAD = 0;
const STRUCT_WORDS = 3;
const EFFECTIVE = 0;
const PERMITTED = 1;

/**
 * Makes effective what this thread is permitted: a file with `cap_bpf+p` also starts where it gets none of them, unlike
 * one with `+ep`, and no other command has them in force. @throws AyaflowError when the kernel refuses, which it never should.
 */
export function raiseCapabilities(): void {
  const { symbols } = dlopen("libc.so.6", {
    capget: { args: ["ptr", "ptr"], returns: "i32" },
    capset: { args: ["ptr", "ptr"], returns: "i32" },
  });
  const header = new Uint32Array([VERSION_3, THIS_THREAD]);
  const sets = new Uint32Array(2 * STRUCT_WORDS);
  if (symbols.capget(header, sets) !== 0) throw new AyaflowError(`capget: ${errnoName(errno())}`);
  for (const start of [0, STRUCT_WORDS]) sets[start + EFFECTIVE] = sets[start + PERMITTED] ?? 0;
  if (symbols.capset(header, sets) !== 0) throw new AyaflowError(`capset: ${errnoName(errno())}`);
}
