/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What kernel and userspace share. src/bpf/layout.gen.ts is made from the BTF of these. */
#ifndef AYAFLOW_H
#define AYAFLOW_H

#include <stddef.h>
#include <linux/types.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "addresses are packed for little endian");

enum ayaflow_limit {
	AYAFLOW_MAX_INTERFACES = 256,
	/* ifindex shares 32 bits of the key with the protocol and the address family. */
	AYAFLOW_MAX_IFINDEX = (1 << 23) - 1,
	/* Slots that one run of ayaflow_fill puts into ayaflow_free. */
	AYAFLOW_FILL_SLOTS = 256,
	/* Above the type in ayaflow_open. */
	AYAFLOW_OPEN_SLOT_SHIFT = 8,
	/* What userspace gets to see of each side of a connection whose name it looks for. */
	AYAFLOW_INSPECT_BYTES = 16384,
	AYAFLOW_INSPECT_PACKETS = 24,
};

enum ayaflow_direction {
	AYAFLOW_INGRESS = 0,
	AYAFLOW_EGRESS = 1,
	AYAFLOW_DIRECTIONS = 2,
};

enum ayaflow_state {
	AYAFLOW_STATE_NONE = 0,
	AYAFLOW_STATE_SYN_SENT = 1,
	AYAFLOW_STATE_SYN_RECEIVED = 2,
	AYAFLOW_STATE_ESTABLISHED = 3,
	AYAFLOW_STATE_CLOSING = 4,
	AYAFLOW_STATE_CLOSED = 5,
	AYAFLOW_STATE_RESET = 6,
};

/* Every packet is counted in exactly one of these. */
enum ayaflow_class {
	AYAFLOW_ATTRIBUTED = 0,
	AYAFLOW_OVERFLOW = 1,
	AYAFLOW_NOT_IP = 2,
	AYAFLOW_MALFORMED = 3,
	AYAFLOW_CLASSES = 4,
};

enum ayaflow_lost {
	AYAFLOW_LOST_TABLE_FULL = 0,
	AYAFLOW_LOST_INSERT_FAILED = 1,
	AYAFLOW_LOST_RING_OPEN = 2,
	AYAFLOW_LOST_RING_PACKET = 3,
	/* Raw mode: a packet without a connection makes no row. */
	AYAFLOW_LOST_NO_CONNECTION = 4,
	AYAFLOW_LOST_RING_PAYLOAD = 5,
	/* Not pushed, as the agent keeps to its budget. */
	AYAFLOW_LOST_SHED_PACKET = 6,
	AYAFLOW_LOST_SHED_PAYLOAD = 7,
	AYAFLOW_LOST_REASONS = 8,
};

/* Bits of ayaflow_control.shed: what is not pushed for now. */
enum ayaflow_shed {
	/* Packets of raw mode. */
	AYAFLOW_SHED_PACKETS = 1 << 0,
	/* Payload. */
	AYAFLOW_SHED_PAYLOAD = 1 << 1,
};

enum ayaflow_event_type {
	/* struct ayaflow_open */
	AYAFLOW_EVENT_OPEN = 1,
	/* struct ayaflow_event */
	AYAFLOW_EVENT_PACKET = 2,
	/* struct ayaflow_payload and the bytes. */
	AYAFLOW_EVENT_PAYLOAD = 3,
};

/* What becomes of the payload that one side of a connection sends, while inspection is on. */
enum ayaflow_inspect_mode {
	/* Handed to userspace until its budget is spent. */
	AYAFLOW_INSPECT_BUDGET = 0,
	/* Bit of the modes in which it is left alone; by itself: the budget is spent. */
	AYAFLOW_INSPECT_STOP = 1,
	/* Every packet is handed over: DNS. */
	AYAFLOW_INSPECT_ALWAYS = 2,
	/* Left alone, as userspace wants: named, or of no interest. What is still in the ring is not, either. */
	AYAFLOW_INSPECT_DONE = 3,
};

enum ayaflow_fragment {
	AYAFLOW_FRAGMENT_NONE = 0,
	/* Ports and the start of the payload. */
	AYAFLOW_FRAGMENT_FIRST = 1,
	AYAFLOW_FRAGMENT_LATER = 2,
	/* ... and nothing comes behind it. */
	AYAFLOW_FRAGMENT_LAST = 3,
};

/* Bits of ayaflow_slot.info. */
enum ayaflow_info {
	AYAFLOW_INFO_CLIENT_B = 1 << 0,
	AYAFLOW_INFO_FIRST_B = 1 << 2,
	AYAFLOW_INFO_FIRST_EGRESS = 1 << 3,
	/* next_seq of side A (and, shifted by one, of side B) is known. */
	AYAFLOW_INFO_SEQ_A = 1 << 4,
	AYAFLOW_INFO_SEQ_B = 1 << 5,
	/* Segments of side A (B) are missing: recover and newest_us are in use. */
	AYAFLOW_INFO_MISSING_A = 1 << 6,
	AYAFLOW_INFO_MISSING_B = 1 << 7,
};

/* Bits of ayaflow_key.meta: ifindex << 9 | IPv6 << 8 | protocol. */
enum ayaflow_meta {
	AYAFLOW_META_IPV6 = 1 << 8,
	AYAFLOW_META_IFINDEX_SHIFT = 9,
};

/* Both directions of one 5-tuple on one interface. Side A is the lower (address, port).
 * Addresses in network order, IPv4 as ::ffff:a.b.c.d; ports in host order. */
struct ayaflow_key {
	__u64 addr_a[2];
	__u64 addr_b[2];
	__u16 port_a;
	__u16 port_b;
	__u32 meta;
};

struct ayaflow_counters {
	__u64 packets;
	__u64 bytes;
};

/* TCP as seen from one side. */
struct ayaflow_side {
	__u32 next_seq;
	__u32 last_ack;
	/* While segments are missing: when next_seq last moved (microseconds modulo 2^32),
	 * and the number whose acknowledgment ends it. */
	__u32 newest_us;
	__u32 recover;
	__u32 retransmits;
	__u32 out_of_order;
	__u16 last_window;
	__u8 dup_acks;
	/* TCP flags seen. */
	__u8 flags;
	/* Sequence number of the first byte, 0 where the SYN was not seen. */
	__u32 start_seq;
};

/* Inspection of a connection, by side. Two CPUs can lose a count of each other: the budget is no exact figure. */
struct ayaflow_inspect {
	/* Handed to userspace so far. */
	__u16 bytes[2];
	__u8 packets[2];
	/* enum ayaflow_inspect_mode; userspace writes it, too. */
	__u8 mode[2];
};

struct ayaflow_slot {
	/* Line 0: identity. key.meta is 0 while the slot is free. */
	struct ayaflow_key key;
	/* Raised by userspace each time the slot is freed. */
	__u32 gen;
	__u32 last_jiffies;
	__u32 number;
	/* Row of the interface in the totals. */
	__u16 interface;
	/* enum ayaflow_info and enum ayaflow_state, side by side as tcp_in_order looks at both at once. */
	__u8 info;
	__u8 state;
	/* Since boot, in nanoseconds. */
	__u64 first_ns;
	/* Line 1: counters by side, handshake. RTTs saturate at 4.29 s. */
	struct ayaflow_counters count[2];
	__u64 syn_ns;
	__u32 rtt_server_ns;
	__u32 rtt_client_ns;
	/* A SYN on a live connection: what would acknowledge it, and who sent it. Only the answer tells a new
	 * connection from a stray or forged SYN (RFC 9293 section 3.10.7.4). */
	__u32 pending_ack;
	__u32 pending_side;
	struct ayaflow_inspect inspect;
	/* Line 2: TCP by side. */
	struct ayaflow_side side[2];
};

/* One interface and direction, on one CPU. */
struct ayaflow_totals {
	struct ayaflow_counters by_class[AYAFLOW_CLASSES];
};

/* A connection was taken into the table. Small, as a burst of them has to fit into the ring: 16 bytes with its header. */
struct ayaflow_open {
	/* The type in the lowest byte, as in the other events, and the slot above it. */
	__u32 type_and_slot;
	__u32 gen;
};

/* One packet, in raw mode. */
struct ayaflow_event {
	__u8 type;
	__u8 direction;
	/* Who sent the packet: 0 for side A. */
	__u8 side;
	__u8 tcp_flags;
	__u32 slot;
	__u32 gen;
	__u32 bytes;
	__u32 packets;
	__u32 reserved;
	__u64 time_ns;
};

/* One packet's payload; what was copied of it follows. The first fields are those of ayaflow_event. */
struct ayaflow_payload {
	__u8 type;
	__u8 direction;
	__u8 side;
	__u8 tcp_flags;
	__u32 slot;
	__u32 gen;
	/* Payload bytes of the packet, at least those that follow. */
	__u32 length;
	__u64 time_ns;
	/* TCP: sequence number of the first payload byte; start_seq of its side. */
	__u32 seq;
	__u32 start_seq;
	/* UDP: size of the datagrams that a GSO packet is made of, else 0. */
	__u16 segment;
	/* Of the payload within that of the unfragmented IP packet. */
	__u16 fragment_offset;
	__u32 fragment_id;
	__u8 protocol;
	/* enum ayaflow_fragment */
	__u8 fragment;
	__u16 reserved;
	__u32 reserved2;
};

/* Set by userspace before loading. */
struct ayaflow_knobs {
	/* Entries of ayaflow_cache, a power of two, minus one. */
	__u32 cache_mask;
	/* Push every packet as an event. */
	__u32 raw_mode;
	/* Hand payload to userspace. */
	__u32 inspect;
};

/* What userspace and the programs tell each other while they run. */
struct ayaflow_control {
	/* Both clocks at one moment, by ayaflow_clock. */
	__u64 boot_ns;
	__u64 jiffies;
	/* Slots that ayaflow_fill has yet to put into ayaflow_free. */
	__u64 unfilled;
	/* enum ayaflow_shed, written by userspace. Looked at only where something is about to be pushed. */
	__u32 shed;
	__u32 reserved;
};

_Static_assert(sizeof(struct ayaflow_key) == 40, "key");
_Static_assert(sizeof(struct ayaflow_side) == 32, "side");
_Static_assert(sizeof(struct ayaflow_slot) == 192, "slot: three cache lines");
_Static_assert(offsetof(struct ayaflow_slot, state) == offsetof(struct ayaflow_slot, info) + 1, "one word");
_Static_assert(offsetof(struct ayaflow_slot, info) % 2 == 0, "one word");
_Static_assert(sizeof(struct ayaflow_totals) == 64, "totals");
_Static_assert(sizeof(struct ayaflow_open) == 8, "open");
_Static_assert(sizeof(struct ayaflow_event) == 32, "event");
_Static_assert(sizeof(struct ayaflow_payload) == 48, "payload");
_Static_assert(sizeof(struct ayaflow_inspect) == 8, "inspect");
_Static_assert((AYAFLOW_INSPECT_BYTES & (AYAFLOW_INSPECT_BYTES - 1)) == 0, "a mask keeps lengths below it");

#endif
