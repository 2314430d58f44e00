// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Counts every packet of an interface by connection. Traffic always goes on untouched:
 * TC_ACT_UNSPEC is "next" for cls_bpf, and TCX_NEXT has the same value. */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "ayaflow.h"
#include "events.h"
#include "flow.h"
#include "inspect.h"
#include "maps.h"
#include "packet.h"
#include "parse.h"
#include "tcp.h"

/* Keeps the event's layout in BTF, no map holds it. */
const struct ayaflow_open *ayaflow_open_layout __attribute__((unused));
const struct ayaflow_event *ayaflow_event_layout __attribute__((unused));
const struct ayaflow_payload *ayaflow_payload_layout __attribute__((unused));
enum ayaflow_inspect_mode ayaflow_inspect_mode_layout __attribute__((unused));
enum ayaflow_fragment ayaflow_fragment_layout __attribute__((unused));
enum ayaflow_limit ayaflow_limit_layout __attribute__((unused));
enum ayaflow_direction ayaflow_direction_layout __attribute__((unused));
enum ayaflow_state ayaflow_state_layout __attribute__((unused));
enum ayaflow_class ayaflow_class_layout __attribute__((unused));
enum ayaflow_lost ayaflow_lost_layout __attribute__((unused));
enum ayaflow_event_type ayaflow_event_type_layout __attribute__((unused));
enum ayaflow_info ayaflow_info_layout __attribute__((unused));
enum ayaflow_meta ayaflow_meta_layout __attribute__((unused));
enum ayaflow_shed ayaflow_shed_layout __attribute__((unused));

static __always_inline struct ayaflow_slot *slot_at(__u32 slot)
{
	return bpf_map_lookup_elem(&ayaflow_slots, &slot);
}

static __always_inline struct ayaflow_slot *find_slot(struct __sk_buff *skb, struct packet *p, __u32 direction)
{
	__u32 entry = hash_key(&p->key) & knobs.cache_mask;
	__u32 *hint = bpf_map_lookup_elem(&ayaflow_cache, &entry);
	struct ayaflow_slot *s;
	__u32 *found;

	if (hint && *hint) {
		s = slot_at(*hint - 1);
		if (s && same_key(&s->key, &p->key))
			return s;
	}
	found = bpf_map_lookup_elem(&ayaflow_flows, &p->key);
	if (found) {
		__u32 slot = *found;

		s = slot_at(slot);
		if (s && !belongs(s, &p->key)) {
			count_lost(AYAFLOW_LOST_INSERT_FAILED, p->packets);
			return 0;
		}
		if (s && hint)
			*hint = slot + 1;
		return s;
	}
	return open_slot(p, direction, interface_row(skb->ifindex));
}

static __always_inline void count_packet(struct __sk_buff *skb, __u32 direction, int l2)
{
	const __u32 gso_size = skb->gso_size;
	struct packet p;
	struct ayaflow_slot *s;
	__u32 class = AYAFLOW_ATTRIBUTED;

	if (!parse_fast(skb, &p, l2, gso_size)) {
		p = (struct packet){};
		class = parse_any(skb, &p, l2);
	}
	measure(skb, &p, l2, gso_size);
	s = class == AYAFLOW_ATTRIBUTED ? find_slot(skb, &p, direction) : 0;
	if (!s) {
		count_total(interface_row(skb->ifindex), direction,
			    class == AYAFLOW_ATTRIBUTED ? AYAFLOW_OVERFLOW : class, &p);
		if (knobs.raw_mode)
			count_lost(AYAFLOW_LOST_NO_CONNECTION, p.packets);
		return;
	}
	count_total(s->interface, direction, AYAFLOW_ATTRIBUTED, &p);
	count_side(s, &p);

	__u32 now = bpf_jiffies64();

	if (s->last_jiffies != now)
		s->last_jiffies = now;
	if (p.is_tcp && !tcp_in_order(s, &p))
		tcp_update(skb, direction, s, &p);
	if (knobs.inspect && wants_payload(s, &p))
		send_payload(skb, &p, s, direction);
	if (knobs.raw_mode && !is_shed(AYAFLOW_SHED_PACKETS, AYAFLOW_LOST_SHED_PACKET, p.packets))
		emit_packet(direction, &p, s);
}

SEC("tc")
int ayaflow_ingress(struct __sk_buff *skb)
{
	count_packet(skb, AYAFLOW_INGRESS, 1);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int ayaflow_egress(struct __sk_buff *skb)
{
	count_packet(skb, AYAFLOW_EGRESS, 1);
	return TC_ACT_UNSPEC;
}

/* For interfaces whose packets start with the IP header (tun, WireGuard, PPP). */
SEC("tc")
int ayaflow_in_l3(struct __sk_buff *skb)
{
	count_packet(skb, AYAFLOW_INGRESS, 0);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int ayaflow_out_l3(struct __sk_buff *skb)
{
	count_packet(skb, AYAFLOW_EGRESS, 0);
	return TC_ACT_UNSPEC;
}

/* Run by userspace to learn what jiffies mean. */
SEC("tc")
int ayaflow_clock(struct __sk_buff *skb)
{
	struct ayaflow_control *c = control();

	if (c) {
		c->boot_ns = bpf_ktime_get_boot_ns();
		c->jiffies = bpf_jiffies64();
	}
	return TC_ACT_UNSPEC;
}

/* Run by userspace at the start: a system call per slot would take seconds for a large table. */
SEC("tc")
int ayaflow_fill(struct __sk_buff *skb)
{
	struct ayaflow_control *c = control();

	if (!c)
		return TC_ACT_UNSPEC;
	for (int i = 0; i < AYAFLOW_FILL_SLOTS; i++) {
		__u32 slot = c->unfilled - 1;

		/* Last in, first out: slot 0 goes in last. */
		if (!c->unfilled || bpf_map_push_elem(&ayaflow_free, &slot, 0))
			break;
		c->unfilled = slot;
	}
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
