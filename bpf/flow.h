/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The connection table: hint cache, then hash, then a free slot. */
#ifndef AYAFLOW_FLOW_H
#define AYAFLOW_FLOW_H

#include <bpf/bpf_helpers.h>
#include "events.h"
#include "inspect.h"
#include "maps.h"
#include "packet.h"

#define EEXIST 17

static __always_inline int same_key(const struct ayaflow_key *a, const struct ayaflow_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[3] == y[3] && x[1] == y[1] && x[4] == y[4] && x[0] == y[0] && x[2] == y[2];
}

/* Whether a slot that the hash named is the key's. While it is being retired (meta is 0) its counters are still
 * read once more; but the hash may use a deleted element again under our hands, for another key. */
static __always_inline int belongs(const struct ayaflow_slot *s, const struct ayaflow_key *key)
{
	return !s->key.meta || same_key(&s->key, key);
}

/* Multiply-xorshift over the five words; Murmur3's finaliser constants. A product carries upwards only, and in network
 * order neighbours differ in the uppermost bits: one address of the two is turned round, and folded down before the
 * last product. */
static __always_inline __u32 hash_key(const struct ayaflow_key *key)
{
	const __u64 *w = (const __u64 *)key;
	__u64 h = (__builtin_bswap64(w[1]) ^ w[3]) * 0xff51afd7ed558ccdULL;

	h ^= (__builtin_bswap64(w[0]) ^ w[2] ^ w[4]) * 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 29;
	h *= 0xff51afd7ed558ccdULL;
	return h >> 40;
}

static __always_inline __u32 interface_row(__u32 ifindex)
{
	__u32 *row = bpf_map_lookup_elem(&ayaflow_ifaces, &ifindex);

	return row ? *row : 0;
}

static __always_inline void count_total(__u32 row, __u32 direction, __u32 class, const struct packet *p)
{
	__u32 index = row * AYAFLOW_DIRECTIONS + direction;
	struct ayaflow_totals *totals = bpf_map_lookup_elem(&ayaflow_totals, &index);

	if (!totals || class >= AYAFLOW_CLASSES)
		return;
	totals->by_class[class].packets += p->packets;
	totals->by_class[class].bytes += p->bytes;
}

/* Two CPUs can carry the same side of a connection at once. */
static __always_inline void count_side(struct ayaflow_slot *s, const struct packet *p)
{
	struct ayaflow_counters *count = &s->count[p->side & 1];

	__sync_fetch_and_add(&count->packets, p->packets);
	__sync_fetch_and_add(&count->bytes, p->bytes);
}

static __always_inline void give_back(struct ayaflow_slot *s, __u32 slot)
{
	s->key.meta = 0;
	/* Userspace may have found the slot meanwhile: what it knows is not what comes next. */
	s->gen++;
	bpf_map_push_elem(&ayaflow_free, &slot, 0);
}

/* Takes a free slot for p. Returns it, or NULL where the packet cannot be attributed (counted). */
static __noinline struct ayaflow_slot *open_slot(struct packet *p, __u32 direction, __u32 row)
{
	__u32 slot, *other;
	struct ayaflow_slot *s;
	long error;

	if (!p)
		return 0;
	if (bpf_map_pop_elem(&ayaflow_free, &slot)) {
		count_lost(AYAFLOW_LOST_TABLE_FULL, p->packets);
		return 0;
	}
	s = bpf_map_lookup_elem(&ayaflow_slots, &slot);
	if (!s)
		return 0;
	/* Userspace handed the slot back zeroed, all but gen. */
	s->first_ns = bpf_ktime_get_boot_ns();
	s->last_jiffies = bpf_jiffies64();
	s->interface = row;
	s->number = slot;
	s->info = (p->side ? AYAFLOW_INFO_CLIENT_B | AYAFLOW_INFO_FIRST_B : 0) |
		  (direction == AYAFLOW_EGRESS ? AYAFLOW_INFO_FIRST_EGRESS : 0);
	s->key = p->key;
	start_inspection(s);
	error = bpf_map_update_elem(&ayaflow_flows, &p->key, &slot, BPF_NOEXIST);
	if (!error) {
		emit_open(slot, s->gen);
		return s;
	}
	give_back(s, slot);
	if (error == -EEXIST) {
		/* Another CPU opened the same connection between our look-up and now. */
		other = bpf_map_lookup_elem(&ayaflow_flows, &p->key);
		s = other ? bpf_map_lookup_elem(&ayaflow_slots, other) : 0;
		if (s && belongs(s, &p->key))
			return s;
	}
	count_lost(AYAFLOW_LOST_INSERT_FAILED, p->packets);
	return 0;
}

#endif
