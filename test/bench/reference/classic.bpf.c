// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The classic design to compare with: every IPv4 TCP or UDP packet is an event in a small ring, the reader is woken,
 * and nothing is counted in the kernel but the events that found the ring full. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define RING_BYTES (256 * 1024)
#define IP_FRAGMENT_MASK 0x1fff
#define IP_WORD_BYTES 4

enum { INGRESS = 0, EGRESS = 1 };

struct classic_event {
	/* As in the header. */
	__u32 source;
	__u32 destination;
	/* In host order. */
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 direction;
	__u16 reserved;
	__u32 length;
	__u32 ifindex;
	__u64 time_ns;
	__u64 reserved2[2];
};

_Static_assert(sizeof(struct classic_event) == 48, "event");

struct ports {
	__be16 source;
	__be16 destination;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} classic_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} classic_lost SEC(".maps");

static __always_inline void count_lost(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&classic_lost, &zero);

	if (lost)
		*lost += 1;
}

static __always_inline int push(struct __sk_buff *skb, __u8 direction)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct classic_event *e;
	struct ports *ports;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return TC_ACT_UNSPEC;
	ports = (void *)ip + ip->ihl * IP_WORD_BYTES;
	if ((void *)(ports + 1) > end || ip->frag_off & bpf_htons(IP_FRAGMENT_MASK))
		return TC_ACT_UNSPEC;
	e = bpf_ringbuf_reserve(&classic_events, sizeof(*e), 0);
	if (!e) {
		count_lost();
		return TC_ACT_UNSPEC;
	}
	e->source = ip->saddr;
	e->destination = ip->daddr;
	e->source_port = bpf_ntohs(ports->source);
	e->destination_port = bpf_ntohs(ports->destination);
	e->protocol = ip->protocol;
	e->direction = direction;
	e->reserved = 0;
	e->length = skb->len;
	e->ifindex = skb->ifindex;
	e->time_ns = bpf_ktime_get_ns();
	e->reserved2[0] = 0;
	e->reserved2[1] = 0;
	/* No flags: the reader is woken whenever it has read all there was. */
	bpf_ringbuf_submit(e, 0);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int classic_ingress(struct __sk_buff *skb)
{
	return push(skb, INGRESS);
}

SEC("tc")
int classic_egress(struct __sk_buff *skb)
{
	return push(skb, EGRESS);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
