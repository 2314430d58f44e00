import { AyaflowError } from "../errors.ts";

/** One packet of a capture. */
export interface CapturedFrame {
  /** Milliseconds since the epoch, with fractions. */
  timeMs: number;
  /** From the registry of link types (tcpdump.org/linktypes.html). */
  linkType: number;
  /** Its name in a pcapng file, else `if0`, `if1`…; empty in a pcap file, which knows no interfaces. */
  interface: string;
  /** What was captured of it, link header first. Its own memory: it may be kept. */
  bytes: Uint8Array;
  /** Bytes on the wire, never less than were captured. */
  length: number;
}

/** The most that libpcap captures of a packet (its MAXIMUM_SNAPLEN). */
export const MAX_CAPTURED = 262_144;

/** The end of the year 9999: later times have another form in ISO 8601, or none in a Date. */
const MAX_TIME_MS = 253_402_300_799_999;

/** A time that a Date can hold, whatever the file says. */
export function boundedTime(timeMs: number): number {
  return Math.min(Math.max(timeMs, 0), MAX_TIME_MS);
}

/** The error for a capture that says nonsense at byte `offset`. */
export function damagedAt(offset: number, problem: string): AyaflowError {
  return new AyaflowError(`the capture is damaged at byte ${offset}: ${problem}`);
}
