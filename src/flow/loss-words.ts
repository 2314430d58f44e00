import type { Loss } from "./types.ts";

/** By stage and reason. */
const LOSS_WORDS: Readonly<Record<string, string>> = {
  "table/full":
    "the connection table is full: packets are counted but not attributed; raise --max-connections",
  "table/insert_failed": "the kernel could not add connections: packets are counted but not attributed",
  "ring/open_event": "the event ring is full: new connections appear late",
  "ring/packet_event": "the event ring is full: raw packet rows are lost; use --aggregation-window 10",
  "ring/payload_event": "the event ring is full: some connections stay without a name",
  "inspect/stale_payload": "payload of connections that are gone was read too late: some stay without a name",
  "inspect/lookups_evicted": "too many DNS questions at once: some count as unanswered",
  "inspect/evicted": "too many handshakes at once: some connections stay without a name",
  "history/no_connection": "raw packets without a connection (not IP, or table full) make no history row",
  "history/shed_packet": "raw packet rows are not stored, to keep to the budget",
  "inspect/shed_payload":
    "payload is not looked at, to keep to the budget: some connections stay without a name",
};

/** What a loss means, in words for a person. */
export function lossWords({ stage, reason }: Readonly<Record<keyof Omit<Loss, "count">, string>>): string {
  return LOSS_WORDS[`${stage}/${reason}`] ?? `${stage} loses data: ${reason}`;
}
