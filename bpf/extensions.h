/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What can stand between the IP header and the transport header: IPv6 extension headers, fragments. */
#ifndef AYAFLOW_EXTENSIONS_H
#define AYAFLOW_EXTENSIONS_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"

#define FRAGMENT_UNIT 8
#define MAX_EXTENSION_HEADERS 8
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
