/** Senders of made packets, with their own reports of what they sent. */
import { VETH, type End } from "./lab.ts";

export interface Sent {
  packets: number;
  bytes: number;
  failed: number;
  seconds: number;
}

function number(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`the sender's report lacks ${pattern}:\n${text}`);
  return Number(found);
}

export interface ReplayOptions {
  /** How often the file is sent; once unless given. */
  loop?: number;
  /** As fast as it goes unless given. */
  packetsPerSecond?: number;
  timeoutMs?: number;
}

/** Sends a capture file with tcpreplay, frame by frame as captured. */
export async function replay(end: End, file: string, options: ReplayOptions = {}): Promise<Sent> {
  const speed = options.packetsPerSecond === undefined ? "--topspeed" : `--pps=${options.packetsPerSecond}`;
  const { stdout } = await end.exec(
    ["tcpreplay", "-i", VETH, speed, "--preload-pcap", `--loop=${options.loop ?? 1}`, file],
    options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
  );
  return {
    packets: number(stdout, /Successful packets:\s+(\d+)/),
    bytes: number(stdout, /Actual: \d+ packets \((\d+) bytes\)/),
    failed: number(stdout, /Failed packets:\s+(\d+)/),
    seconds: number(stdout, /sent in ([\d.]+) seconds/),
  };
}

export interface TrafgenOptions {
  packets: number;
  /** Through the queueing layer, so that TC egress sees the packets; off unless given. */
  qdisc?: boolean;
  timeoutMs?: number;
}

/** Frames in trafgen's own language (trafgen(8)), which also has counters and random fields. */
export function trafgenFrames(frames: readonly Uint8Array[]): string {
  return frames.map((frame) => `{ ${[...frame].join(", ")} }\n`).join("");
}

/** Sends `packets` packets with trafgen, those of `configuration` in turn. */
export async function trafgen(end: End, configuration: string, options: TrafgenOptions): Promise<Sent> {
  const fixed = [
    "--in",
    "-",
    "--out",
    VETH,
    "--cpus",
    "1",
    "--no-sock-mem",
    "--notouch-irq",
    "--jumbo-support",
  ];
  const qdisc = options.qdisc === true ? ["--qdisc-path"] : [];
  const { stdout } = await end.exec(["trafgen", ...fixed, ...qdisc, "--num", String(options.packets)], {
    stdin: configuration,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return {
    packets: number(stdout, /(\d+) packets outgoing/),
    bytes: number(stdout, /(\d+) bytes outgoing/),
    failed: 0,
    seconds: number(stdout, /(\d+) sec, \d+ usec/) + number(stdout, /\d+ sec, (\d+) usec/) / 1e6,
  };
}
