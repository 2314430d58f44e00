/** The real programs under BPF_PROG_TEST_RUN, and what they counted in plain words. */
import { Kernel } from "../../src/bpf/kernel.ts";
import { ENUMS } from "../../src/bpf/layout.gen.ts";
import type { KernelEvent, KernelPayload } from "../../src/bpf/ring.ts";
import { splitMeta } from "../../src/bpf/slots.ts";
import { runProgram } from "../../src/bpf/test-run.ts";
import ipaddr from "ipaddr.js";

/** TC_ACT_UNSPEC and TCX_NEXT: the packet goes on as if we were not there. */
export const NEXT = -1;
const CLASS = ENUMS.ayaflow_class;

// struct __sk_buff, <linux/bpf.h>.
const SKB_BYTES = 192;
const SKB_GSO_SEGS = 164;
const SKB_GSO_SIZE = 176;

export interface RunOptions {
  direction?: "ingress" | "egress";
  gsoSize?: number;
  gsoSegs?: number;
}

export interface SeenConnection {
  protocol: number;
  ipv6: boolean;
  client: string;
  server: string;
  sent: { packets: number; bytes: number };
  received: { packets: number; bytes: number };
  state: string;
  rttServerNs: number;
  rttClientNs: number;
  retransmits: { sent: number; received: number };
  outOfOrder: { sent: number; received: number };
  flags: { sent: number; received: number };
  clientDirection: string;
}

export interface Totals {
  attributed: number;
  overflow: number;
  notIp: number;
  malformed: number;
  /** Of all classes. */
  packets: number;
  bytes: number;
}

const STATE_NAMES = new Map<number, string>(
  Object.entries(ENUMS.ayaflow_state).map(([name, value]) => [
    value,
    name.replace("AYAFLOW_STATE_", "").toLowerCase(),
  ]),
);

function addressText(bytes: Uint8Array, ipv6: boolean): string {
  return ipaddr.fromByteArray([...(ipv6 ? bytes : bytes.subarray(12))]).toString();
}

export class PacketLab {
  readonly kernel: Kernel;
  readonly events: KernelEvent[] = [];
  readonly payloads: KernelPayload[] = [];

  constructor(
    private readonly options: {
      connections?: number;
      rawMode?: boolean;
      inspect?: boolean;
      ringBytes?: number;
    } = {},
  ) {
    this.kernel = Kernel.open(
      {
        maxConnections: options.connections ?? 64,
        ringBytes: options.ringBytes ?? 1 << 20,
        rawMode: options.rawMode ?? false,
        inspect: options.inspect ?? false,
      },
      {
        event: (event) => this.events.push({ ...event }),
        payload: (payload) => this.payloads.push({ ...payload, bytes: payload.bytes.slice() }),
        failed: (error) => {
          throw error;
        },
      },
    );
  }

  [Symbol.dispose](): void {
    this.kernel.close();
  }

  /** Runs one frame through a hook's program. Returns its verdict. */
  run(frame: Uint8Array, options: RunOptions = {}): number {
    const program = options.direction === "egress" ? "ayaflow_egress" : "ayaflow_ingress";
    const context = new DataView(new ArrayBuffer(SKB_BYTES));
    context.setUint32(SKB_GSO_SEGS, options.gsoSegs ?? 0, true);
    context.setUint32(SKB_GSO_SIZE, options.gsoSize ?? 0, true);
    const result = runProgram(this.kernel.programs[program], frame, new Uint8Array(context.buffer));
    if (result.error !== 0) throw new Error(`BPF_PROG_TEST_RUN of ${frame.length} bytes: ${result.error}`);
    return result.verdict;
  }

  /** Of both directions; test runs happen on no registered interface, which is row 0. */
  totals(): Totals {
    const rows = [this.kernel.counters.read(0, 0), this.kernel.counters.read(0, 1)];
    const packets = (index: number) => rows.reduce((sum, row) => sum + (row[index]?.packets ?? 0), 0);
    const all = rows.flat();
    return {
      attributed: packets(CLASS.AYAFLOW_ATTRIBUTED),
      overflow: packets(CLASS.AYAFLOW_OVERFLOW),
      notIp: packets(CLASS.AYAFLOW_NOT_IP),
      malformed: packets(CLASS.AYAFLOW_MALFORMED),
      packets: all.reduce((sum, one) => sum + one.packets, 0),
      bytes: all.reduce((sum, one) => sum + one.bytes, 0),
    };
  }

  /** Every connection in the table, in the order of their slots. */
  connections(): SeenConnection[] {
    const { slots } = this.kernel;
    return Array.from({ length: this.options.connections ?? 64 }, (_, slot) => slot)
      .filter((slot) => slots.meta(slot) !== 0)
      .map((slot) => this.connection(slot));
  }

  /** Drains the ring into `events`. */
  drain(): KernelEvent[] {
    this.kernel.ring.drain(Number.MAX_SAFE_INTEGER);
    return this.events;
  }

  private connection(slot: number): SeenConnection {
    const { slots } = this.kernel;
    const detail = slots.detail(slot);
    const { protocol, ipv6 } = splitMeta(slots.meta(slot));
    const counters = { packetsA: 0, bytesA: 0, packetsB: 0, bytesB: 0 };
    slots.counters(slot, counters);
    const a = { packets: counters.packetsA, bytes: counters.bytesA };
    const b = { packets: counters.packetsB, bytes: counters.bytesB };
    const ends = [
      `${addressText(detail.addressA, ipv6)} ${detail.portA}`,
      `${addressText(detail.addressB, ipv6)} ${detail.portB}`,
    ];
    const { client } = detail;
    const pair = (values: readonly number[]) => ({
      sent: values[client] ?? 0,
      received: values[1 - client] ?? 0,
    });
    return {
      protocol,
      ipv6,
      client: ends[client] ?? "",
      server: ends[1 - client] ?? "",
      sent: client === 0 ? a : b,
      received: client === 0 ? b : a,
      state: STATE_NAMES.get(detail.state) ?? "",
      rttServerNs: detail.rttServerNs,
      rttClientNs: detail.rttClientNs,
      retransmits: pair(detail.retransmits),
      outOfOrder: pair(detail.outOfOrder),
      flags: pair(detail.flags),
      clientDirection: detail.clientDirection === 0 ? "ingress" : "egress",
    };
  }
}
