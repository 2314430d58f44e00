/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Payload for userspace to read names in: the first bytes of each side of a connection, and DNS always. */
#ifndef AYAFLOW_INSPECT_H
#define AYAFLOW_INSPECT_H

#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"
#include "packet.h"

#define PORT_DNS 53
#define PORT_MDNS 5353
#define PORT_LLMNR 5355
#define QUIC_LONG_HEADER 0xc0
#define BOTH_DONE (AYAFLOW_INSPECT_DONE << 8 | AYAFLOW_INSPECT_DONE)
#define DNS_HEADER 12
/* "PRI * HT" */
#define HTTP2_PREFACE 0x5448202a20495250ULL
/* The highest assigned DNS opcode (DSO, RFC 8490). */
#define DNS_MAX_OPCODE 6

static __always_inline int is_dns_port(__u16 port)
{
	return port == PORT_DNS || port == PORT_MDNS || port == PORT_LLMNR;
}

/* A connection begins, or begins anew in the same slot. */
static __always_inline void start_inspection(struct ayaflow_slot *s)
{
	__u8 protocol = s->key.meta & 0xff;
	__u8 mode = AYAFLOW_INSPECT_BUDGET;

	if ((protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) &&
	    (is_dns_port(s->key.port_a) || is_dns_port(s->key.port_b)))
		mode = AYAFLOW_INSPECT_ALWAYS;
	s->inspect = (struct ayaflow_inspect){ .mode = { mode, mode } };
}

/* Whether userspace is to see the payload of p. Both sides are looked at together first: most packets are of
 * connections that are done. */
static __always_inline int wants_payload(const struct ayaflow_slot *s, const struct packet *p)
{
	return *(const __u16 *)s->inspect.mode != BOTH_DONE && p->payload_len &&
	       !(s->inspect.mode[p->side & 1] & AYAFLOW_INSPECT_STOP);
}

/* A DNS header as one question or its answer has it (RFC 1035 section 4.1.1). */
static __always_inline int looks_like_dns(const __u8 *b, __u32 length)
{
	if (length <= DNS_HEADER || (b[2] >> 3 & 0xf) > DNS_MAX_OPCODE || b[4] || b[8] || b[10])
		return 0;
	return b[5] == 1 || (!b[5] && b[2] & 0x80 && (b[6] || b[7]));
}

/* HTTP/2 in the clear (RFC 9113 section 3.4) can carry DNS, of which a budget's worth can pass before userspace says. */
static __always_inline int starts_http2(const struct payload_buffer *b, __u32 length)
{
	return b->head.protocol == IPPROTO_TCP && length >= sizeof(__u64) && *(const __u64 *)b->bytes == HTTP2_PREFACE;
}

/* ICMP errors quote the packet that they are about (RFC 792, RFC 4443). */
static __always_inline int is_icmp_error(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMPV6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* Whether userspace could find a name in this. Any TCP stream may turn out to hold TLS. */
static __always_inline int is_of_interest(const struct payload_buffer *b, __u32 length)
{
	if (b->head.fragment >= AYAFLOW_FRAGMENT_LATER)
		return b->head.protocol == IPPROTO_UDP || b->head.protocol == IPPROTO_TCP;
	switch (b->head.protocol) {
	case IPPROTO_TCP:
		return 1;
	case IPPROTO_UDP:
		return (b->bytes[0] & QUIC_LONG_HEADER) == QUIC_LONG_HEADER || looks_like_dns(b->bytes, length);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return is_icmp_error(b->head.protocol, b->bytes[0]);
	}
	return 0;
}

/* Hands the payload of p to userspace, as far as the budget of its side goes. */
static __noinline int send_payload(struct __sk_buff *skb, struct packet *p, struct ayaflow_slot *s, __u32 direction)
{
	struct payload_buffer *b;
	__u32 zero = 0, room = AYAFLOW_INSPECT_BYTES, length, side;
	int always;

	if (!p || !s)
		return 0;
	side = p->side & 1;
	always = s->inspect.mode[side] == AYAFLOW_INSPECT_ALWAYS;
	if (!always) {
		if (s->inspect.packets[side] >= AYAFLOW_INSPECT_PACKETS ||
		    s->inspect.bytes[side] >= AYAFLOW_INSPECT_BYTES) {
			s->inspect.mode[side] = AYAFLOW_INSPECT_STOP;
			return 0;
		}
		room -= s->inspect.bytes[side];
	}
	if (is_shed(AYAFLOW_SHED_PAYLOAD, AYAFLOW_LOST_SHED_PAYLOAD, 1)) {
		/* The budget is spent all the same: most names are in the first bytes or nowhere. */
		s->inspect.packets[side]++;
		return 0;
	}
	b = bpf_map_lookup_elem(&ayaflow_scratch, &zero);
	if (!b || p->header_len >= skb->len)
		return 0;
	length = skb->len - p->header_len;
	if (length > p->payload_len)
		length = p->payload_len;
	if (length > room)
		length = room;
	if (!length)
		return 0;
	/* Verifiers before Linux 6.8 learn no minimum from "not 0": it is made of what they can see. */
	length--;
	asm volatile("" : "+r"(length));
	length = (length & (AYAFLOW_INSPECT_BYTES - 1)) + 1;
	if (bpf_skb_load_bytes(skb, p->header_len, b->bytes, length))
		return 0;
	s->inspect.packets[side]++;
	b->head.protocol = s->key.meta & 0xff;
	b->head.fragment = p->fragment;
	if (!always && !is_of_interest(b, length))
		return 0;
	if (!s->inspect.bytes[side] && s->inspect.mode[side] == AYAFLOW_INSPECT_BUDGET && starts_http2(b, length))
		s->inspect.mode[0] = s->inspect.mode[1] = AYAFLOW_INSPECT_ALWAYS;
	s->inspect.bytes[side] += length;
	b->head.type = AYAFLOW_EVENT_PAYLOAD;
	b->head.direction = direction;
	b->head.side = side;
	b->head.tcp_flags = p->is_tcp ? p->tcp_flags : 0;
	b->head.slot = s->number;
	b->head.gen = s->gen;
	b->head.length = p->payload_len;
	b->head.time_ns = bpf_ktime_get_boot_ns();
	b->head.seq = p->seq + (p->is_tcp && p->tcp_flags & TCP_SYN ? 1 : 0);
	b->head.start_seq = p->is_tcp ? s->side[side].start_seq : 0;
	b->head.segment = p->is_tcp ? 0 : skb->gso_size;
	b->head.fragment_id = p->fragment_id;
	b->head.fragment_offset = p->fragment_offset;
	if (bpf_ringbuf_output(&ayaflow_events, b, sizeof(b->head) + length, BPF_RB_NO_WAKEUP))
		count_lost(AYAFLOW_LOST_RING_PAYLOAD, 1);
	return 0;
}

#endif
