/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef AYAFLOW_MAPS_H
#define AYAFLOW_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "ayaflow.h"

/* Userspace sets every max_entries of 1 below before the object is loaded. */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ayaflow_slot);
} ayaflow_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct ayaflow_key);
	__type(value, __u32);
} ayaflow_flows SEC(".maps");

/* Free slot numbers, last in first out: a slot just given back is still in the CPU's cache. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__uint(value_size, sizeof(__u32));
} ayaflow_free SEC(".maps");

/* Slot number plus one by key hash. Only a hint: the key in the slot decides. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} ayaflow_cache SEC(".maps");

/* ifindex to row in the totals. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, AYAFLOW_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, __u32);
} ayaflow_ifaces SEC(".maps");

/* Row of the interface * AYAFLOW_DIRECTIONS + direction; row 0 is for interfaces not in ayaflow_ifaces. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, AYAFLOW_MAX_INTERFACES *AYAFLOW_DIRECTIONS);
	__type(key, __u32);
	__type(value, struct ayaflow_totals);
} ayaflow_totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, AYAFLOW_LOST_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} ayaflow_lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ayaflow_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ayaflow_control);
} ayaflow_control SEC(".maps");

/* Where a payload event is put together: its length is not known in advance, as a reservation in the ring wants it. */
struct payload_buffer {
	struct ayaflow_payload head;
	__u8 bytes[AYAFLOW_INSPECT_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct payload_buffer);
} ayaflow_scratch SEC(".maps");

const volatile struct ayaflow_knobs knobs = {};

static __always_inline void count_lost(__u32 reason, __u32 packets)
{
	__u64 *count = bpf_map_lookup_elem(&ayaflow_lost, &reason);

	if (count)
		*count += packets;
}

static __always_inline struct ayaflow_control *control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ayaflow_control, &zero);
}

/* Whether userspace wants to be spared what `bit` of enum ayaflow_shed stands for. Counts it if so. */
static __always_inline int is_shed(__u32 bit, __u32 lost_reason, __u32 packets)
{
	struct ayaflow_control *c = control();

	if (!c || !(c->shed & bit))
		return 0;
	count_lost(lost_reason, packets);
	return 1;
}

#endif
