/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef AYAFLOW_PACKET_H
#define AYAFLOW_PACKET_H

#include "ayaflow.h"

#define VLAN_TAG 4

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

/* What the parser finds in one skb. */
struct packet {
	struct ayaflow_key key;
	/* Who sent it: 0 for side A of the key. */
	__u32 side;
	/* Raw IP interfaces only: bytes before the packet, see raw_start. */
	__u32 start;
	/* Bytes before the transport payload, the part that GSO repeats on each segment. */
	__u32 header_len;
	__u32 seq;
	__u32 ack;
	__u16 window;
	/* Bytes behind header_len that belong to the packet: of TCP, UDP and ICMP, and of later fragments; else 0. */
	__u32 payload_len;
	/* Of an IP fragment (enum ayaflow_fragment): where its payload lies in the whole, in bytes. */
	__u32 fragment_id;
	__u16 fragment_offset;
	__u8 fragment;
	__u8 tcp_flags;
	/* A whole TCP header was read. */
	__u8 is_tcp;
	/* On the wire: GSO segments apart, VLAN tag included, link header included. */
	__u32 packets;
	__u32 bytes;
};

/* The last word of a key. Written at once: parts written one by one would have to reach the cache before the whole
 * can be read. */
static __always_inline __u64 key_tail(__u16 port_a, __u16 port_b, __u32 meta)
{
	return port_a | (__u64)port_b << 16 | (__u64)meta << 32;
}

/* Puts the ends into canonical order. src and dst are in network order, ports in host order. */
static __always_inline void set_key(struct packet *p, const __u64 src[2], const __u64 dst[2], __u16 sport,
				    __u16 dport, __u32 meta)
{
	__u64 *key = (__u64 *)&p->key;
	int src_first = src[0] != dst[0] ? src[0] < dst[0] :
			src[1] != dst[1] ? src[1] < dst[1] :
					   sport <= dport;

	if (src_first) {
		p->side = 0;
		key[0] = src[0];
		key[1] = src[1];
		key[2] = dst[0];
		key[3] = dst[1];
		key[4] = key_tail(sport, dport, meta);
	} else {
		p->side = 1;
		key[0] = dst[0];
		key[1] = dst[1];
		key[2] = src[0];
		key[3] = src[1];
		key[4] = key_tail(dport, sport, meta);
	}
}

/* ::ffff:a.b.c.d, lower half; addr as it stands in the header. */
static __always_inline __u64 mapped_ipv4(__u32 addr)
{
	return (__u64)addr << 32 | 0xffff0000ULL;
}

static __always_inline __u32 key_meta(__u32 ifindex, int ipv6, __u8 protocol)
{
	return ifindex << AYAFLOW_META_IFINDEX_SHIFT | (ipv6 ? AYAFLOW_META_IPV6 : 0) | protocol;
}

/* Packets and bytes on the wire. skb->gso_segs can be 0 in a GSO skb from an untrusted source. */
static __always_inline void measure(struct __sk_buff *skb, struct packet *p, int l2, __u32 gso_size)
{
	__u32 tag = skb->vlan_present * VLAN_TAG;
	__u32 start = l2 ? 0 : p->start;
	__u32 segments;

	p->packets = 1;
	p->bytes = skb->len + tag - start;
	if (!gso_size)
		return;
	segments = skb->gso_segs;
	if (!segments && skb->len > p->header_len)
		segments = (skb->len - p->header_len + gso_size - 1) / gso_size;
	if (segments > 1) {
		p->packets = segments;
		p->bytes += (segments - 1) * (p->header_len + tag - start);
	}
}

#endif
