/** The reference: a program of the classic design, an event per packet, and the ring that userspace reads it from. */
import { JSCallback, type Pointer } from "bun:ffi";
import type { Hook } from "../../../src/bpf/attach.ts";
import { errno, errnoName } from "../../../src/bpf/libc.ts";
import { libbpf } from "../../../src/bpf/libbpf.ts";
import { compiled, loadCompiled } from "./object.ts";

/** RING_BYTES of classic.bpf.c; an event takes its 48 bytes and the kernel's header of 8. */
const RING_BYTES = 256 * 1024;
const RECORD_BYTES = 56;
/** Events that an empty ring takes: one byte of it always stays free. */
export const RING_EVENTS = Math.floor((RING_BYTES - 1) / RECORD_BYTES);

/** Offsets in struct classic_event. */
export const EVENT = {
  source: 0,
  destination: 4,
  sourcePort: 8,
  destinationPort: 10,
  protocol: 12,
  direction: 13,
  length: 16,
  timeNs: 24,
} as const;

/** Any negative value stops ring_buffer__consume after the record at hand. */
const STOP = -1;
const MAX_CPUS = 8192;

export interface Classic {
  programs: Record<Hook, number>;
  ringFd: number;
  /** Events that found the ring full. */
  lost: () => number;
  close: () => void;
}

/** Compiles what `openClassic` loads. Returns the object's path. */
export async function compileClassic(): Promise<string> {
  return await compiled("classic");
}

/** Loads the two programs; nothing is attached. Throws with the verifier's words. */
export function openClassic(object: string): Classic {
  const names = {
    programs: ["classic_ingress", "classic_egress"],
    maps: ["classic_events", "classic_lost"],
  } as const;
  const { programs, maps, close } = loadCompiled(object, names);
  const zero = new Uint32Array(1);
  const byCpu = new BigUint64Array(MAX_CPUS);
  return {
    programs: { ingress: programs.classic_ingress, egress: programs.classic_egress },
    ringFd: maps.classic_events,
    lost: () => {
      libbpf().bpf_map_lookup_elem(maps.classic_lost, zero, byCpu);
      return Number(byCpu.reduce((sum, count) => sum + count, 0n));
    },
    close,
  };
}

/** The ring as libbpf reads it. */
export class ClassicRing {
  private readonly ring: Pointer;
  private readonly callback: JSCallback;
  private left = 0;
  private drained = 0;

  /** `handle` gets the address of each struct classic_event, valid during the call; it must not throw. */
  constructor(mapFd: number, handle: (event: Pointer) => void) {
    this.callback = new JSCallback(
      (_context: null, event: Pointer) => {
        handle(event);
        this.drained++;
        return --this.left > 0 ? 0 : STOP;
      },
      { args: ["ptr", "ptr", "u32"], returns: "i32" },
    );
    const ring = libbpf().ring_buffer__new(mapFd, this.callback.ptr, null, null);
    if (ring === null) throw new Error(`cannot open the classic ring: ${errnoName(errno())}`);
    this.ring = ring as Pointer;
  }

  /** Handles at most `limit` events. Returns how many there were. */
  drain(limit: number): number {
    this.left = limit;
    this.drained = 0;
    libbpf().ring_buffer__consume(this.ring);
    return this.drained;
  }

  close(): void {
    libbpf().ring_buffer__free(this.ring);
    this.callback.close();
  }
}
