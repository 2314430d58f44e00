import type { Inspected, Outcome } from "./types.ts";
import type { NamingUpdate } from "./connection-names.ts";

/** An end of a connection, by a number that stays the same while the connection lives. */
export type Side = 0 | 1;

/** What is looked at of each side of a connection whose name is not known yet. */
export const BUDGET_BYTES = 16_384;
export const BUDGET_PACKETS = 24;

/** Where a fragment's payload lies in the IP packet it is part of (RFC 791 section 2.3, RFC 8200 section 4.5). */
export interface FragmentPlace {
  id: number;
  /** Bytes from the start of the IP payload. */
  offset: number;
  more: boolean;
}

/** The payload of one packet, however it was captured. */
export interface PayloadPacket {
  /** Number of its connection, its owner's choice. A fragment without ports has a connection of its own. */
  connection: number;
  /** The sender, and the ports as it has them; 0 where there are none. */
  side: Side;
  sourcePort: number;
  destinationPort: number;
  /** IP protocol number. */
  protocol: number;
  /** Milliseconds since the epoch. */
  timeMs: number;
  /** TCP sequence number of the first byte; of the first that the side ever sent, null where that was not seen. */
  sequence: number;
  start: number | null;
  fragment: FragmentPlace | null;
  /** Datagrams of this size stand one behind the other (UDP GSO); 0 for a single one. */
  segment: number;
  /** A view, valid during the call only. */
  bytes: Uint8Array;
  /** Payload bytes on the wire; more than there are in `bytes` when it was cut. */
  length: number;
}

/** What an inspection wants of its connection's further packets: those of the budget, all, or none. */
export type Wanted = "budget" | "always" | "none";

/** What an inspection tells of its connection. */
export interface Findings {
  learn(update: NamingUpdate): void;
  count(protocol: Inspected, outcome: Outcome): void;
  /** A DNS message that `side` sent, by TCP or within HTTP. Returns whether it could be read. */
  dns(message: Uint8Array, side: Side, timeMs: number, isCut: boolean): boolean;
}
