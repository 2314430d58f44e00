/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What can stand before the IP header (PPPoE, MPLS, outer headers) and behind it (IPv6 extension headers, fragments). */
#ifndef AYAFLOW_EXTENSIONS_H
#define AYAFLOW_EXTENSIONS_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"

#define FRAGMENT_UNIT 8
#define MAX_EXTENSION_HEADERS 8
#define MAX_MPLS_LABELS 8
#define MPLS_BOTTOM 1
/* Version and type 1, code 0: a session's data (RFC 2516 section 4). */
#define PPPOE_SESSION_DATA 0x1100
#define PPP_IPV4 0x0021
#define PPP_IPV6 0x0057

/* The same value, of which the verifier knows nothing any more: it would follow each offset through all that comes. */
static __always_inline __u32 forget(__u32 value)
{
	volatile __u16 halves[2] __attribute__((aligned(sizeof(value))));

	halves[0] = value;
	halves[1] = value >> 16;
	return *(volatile __u32 *)halves;
}

/* IP by its version in the first four bits, as RFC 4928 keeps what else is behind MPLS apart from it. */
static __always_inline __be16 ip_type(__u8 first)
{
	if (first >> 4 == 4)
		return bpf_htons(ETH_P_IP);
	return first >> 4 == 6 ? bpf_htons(ETH_P_IPV6) : 0;
}

/* Steps over a PPPoE session header (RFC 2516) or a stack of MPLS labels (RFC 3032). Returns the type of what
 * follows, 0 where that is no IP or was cut. */
static __always_inline __be16 skip_shim(struct __sk_buff *skb, __u32 *offset, __be16 type)
{
	if (type == bpf_htons(ETH_P_PPP_SES)) {
		__be16 head[4]; /* version, type and code; session; length; PPP's protocol */

		if (bpf_skb_load_bytes(skb, *offset, head, sizeof(head)) ||
		    head[0] != bpf_htons(PPPOE_SESSION_DATA))
			return 0;
		*offset += sizeof(head);
		if (head[3] == bpf_htons(PPP_IPV4))
			return bpf_htons(ETH_P_IP);
		return head[3] == bpf_htons(PPP_IPV6) ? bpf_htons(ETH_P_IPV6) : 0;
	}
	for (int i = 0; i < MAX_MPLS_LABELS; i++) {
		__u8 label[5];

		if (bpf_skb_load_bytes(skb, *offset, label, sizeof(label)))
			return 0;
		*offset += 4;
		if (label[2] & MPLS_BOTTOM)
			return ip_type(label[4]);
	}
	return 0;
}

/* The start of an IP header: enough to tell two packets apart. */
union ip_start {
	__u8 bytes[16];
	__u64 words[2];
};

/* Length of the packet as its header says, 0 where it is no IP. */
static __always_inline __u32 ip_length(const union ip_start *ip)
{
	const __u8 *b = ip->bytes;

	if (b[0] >> 4 == 4)
		return b[2] << 8 | b[3];
	return b[0] >> 4 == 6 ? sizeof(struct ipv6hdr) + (b[4] << 8 | b[5]) : 0;
}

/* Where the packet of a raw IP interface starts. Before Linux 5.14 the IP tunnels (ipip, sit, gre, ip6_tunnel) left the
 * outer headers in front of what they received, some the link's as well; only the network header is where it should be. */
static __always_inline __u32 raw_start(struct __sk_buff *skb)
{
	union ip_start inner, found;
	__u32 length, start;

	if (bpf_skb_load_bytes_relative(skb, 0, &inner, sizeof(inner), BPF_HDR_START_NET))
		return 0;
	length = ip_length(&inner);
	start = skb->len - length;
	if (!length || length >= skb->len || bpf_skb_load_bytes(skb, start, &found, sizeof(found)))
		return 0;
	return found.words[0] == inner.words[0] && found.words[1] == inner.words[1] ? start : 0;
}

#define IN_SET(protocol) (1ULL << (protocol))
/* HIP (RFC 7401) and Shim6 (RFC 5533) have no name in <linux/in.h>. */
#define PROTOCOL_HIP 139
#define PROTOCOL_SHIM6 140

static __always_inline int is_extension(__u8 protocol)
{
	const __u64 low = IN_SET(IPPROTO_HOPOPTS) | IN_SET(IPPROTO_ROUTING) | IN_SET(IPPROTO_FRAGMENT) |
			  IN_SET(IPPROTO_AH) | IN_SET(IPPROTO_DSTOPTS);

	if (protocol < 64)
		return low >> protocol & 1;
	return protocol == IPPROTO_MH || protocol == PROTOCOL_HIP || protocol == PROTOCOL_SHIM6;
}

/* An unfragmented packet can have a fragment header as well (RFC 6946): then there is nothing to put together. */
static __always_inline void set_fragment(struct packet *p, __u32 offset, __u32 more)
{
	p->fragment_offset = offset;
	if (offset)
		p->fragment = more ? AYAFLOW_FRAGMENT_LATER : AYAFLOW_FRAGMENT_LAST;
	else
		p->fragment = more ? AYAFLOW_FRAGMENT_FIRST : AYAFLOW_FRAGMENT_NONE;
}

/* Steps over the IPv6 extension headers (RFC 8200 section 4). Returns the offset of what follows,
 * 0 where there are no ports to read: a later fragment, or a chain cut short. */
static __always_inline __u32 skip_extensions(struct __sk_buff *skb, struct packet *p, __u32 offset, __u8 *protocol)
{
	__u8 type = *protocol;

	for (int i = 0; i < MAX_EXTENSION_HEADERS && is_extension(type); i++) {
		__u8 head[4];

		if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
			return 0;
		/* AH counts 4-byte words less two (RFC 4302), the others 8-byte words less one. */
		offset += type == IPPROTO_AH ? (head[1] + 2) * 4 : (head[1] + 1) * 8;
		if (type == IPPROTO_FRAGMENT) {
			__u16 field = head[2] << 8 | head[3];

			offset -= head[1] * 8;
			set_fragment(p, field & ~(FRAGMENT_UNIT - 1), field & 1);
			bpf_skb_load_bytes(skb, offset - sizeof(p->fragment_id), &p->fragment_id,
					   sizeof(p->fragment_id));
			if (p->fragment_offset) {
				*protocol = head[0];
				p->header_len = offset;
				return 0;
			}
		}
		type = head[0];
		*protocol = type;
	}
	return is_extension(type) ? 0 : offset;
}

#endif
