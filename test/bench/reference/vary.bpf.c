// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Makes each run of one BPF_PROG_TEST_RUN another packet, then goes on to the program that is timed. All cases pay the
 * same for it: what differs are constants. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* No program under test returns it: there was none to go on to, or the frame is too short. */
#define NOT_RUN 99

struct vary_knobs {
	/* A 32-bit number in the frame that becomes address_base plus the run's number, of which address_mask is kept. */
	__u32 address_offset;
	__u32 address_base;
	__u32 address_mask;
	/* Another that grows by sequence_step every 2^sequence_shift runs. */
	__u32 sequence_offset;
	__u32 sequence_shift;
	__u32 sequence_step;
};

/* Set by userspace before loading. */
const volatile struct vary_knobs knobs = {};

__u32 runs = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} vary_target SEC(".maps");

SEC("tc")
int vary(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__be32 *address = data + knobs.address_offset;
	__be32 *sequence = data + knobs.sequence_offset;
	__u32 run = runs++;

	if ((void *)(address + 1) > end || (void *)(sequence + 1) > end)
		return NOT_RUN;
	*address = bpf_htonl(knobs.address_base + (run & knobs.address_mask));
	*sequence = bpf_htonl((run >> knobs.sequence_shift) * knobs.sequence_step);
	bpf_tail_call(skb, &vary_target, 0);
	return NOT_RUN;
}

/* What is taken off: all that a program under test costs before its first instruction. */
SEC("tc")
int vary_empty(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
