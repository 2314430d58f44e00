/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Headers to 5-tuple. The common shapes are read in place; all others, and headers
 * outside the linear area, go through bpf_skb_load_bytes. */
#ifndef AYAFLOW_PARSE_H
#define AYAFLOW_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "extensions.h"
#include "packet.h"

#define IP_OFFSET_MASK 0x1fff
#define IP_MORE_FRAGMENTS 0x2000
#define TCP_FLAGS_OFFSET 13
#define MAX_VLAN_TAGS 2
#define ETH_P_QINQ_OLD 0x9100

/* Bytes from `start` to `end` of a packet; none where it ends before. */
static __always_inline __u32 rest(__u32 end, __u32 start)
{
	return end > start ? end - start : 0;
}

static __always_inline int set_tcp(struct packet *p, const struct tcphdr *tcp, __u32 l4, __u32 end)
{
	__u32 header = tcp->doff * 4;

	p->is_tcp = 1;
	p->seq = bpf_ntohl(tcp->seq);
	p->ack = bpf_ntohl(tcp->ack_seq);
	p->window = tcp->window;
	p->tcp_flags = ((const __u8 *)tcp)[TCP_FLAGS_OFFSET];
	p->header_len = l4 + header;
	p->payload_len = rest(end, p->header_len);
	return 1;
}

/* UDP's own length can be less than what the IP header leaves; it says nothing of a GSO skb or a fragment. */
static __always_inline void set_udp(struct packet *p, const struct udphdr *udp, __u32 l4, __u32 end,
				    __u32 gso_size)
{
	__u32 length = bpf_ntohs(udp->len);

	if (!gso_size && !p->fragment && length >= sizeof(*udp) && l4 + length < end)
		end = l4 + length;
	p->is_tcp = 0;
	p->header_len = l4 + sizeof(*udp);
	p->payload_len = rest(end, p->header_len);
}

/* Not a fragment. */
static __always_inline void set_whole(struct packet *p)
{
	p->fragment_id = 0;
	p->fragment_offset = 0;
	p->fragment = 0;
}

static __always_inline void set_no_tcp(struct packet *p)
{
	p->seq = 0;
	p->ack = 0;
	p->window = 0;
	p->tcp_flags = 0;
}

/* TCP or UDP directly behind the network header. 0: let parse_any look. */
static __always_inline int parse_ports(struct packet *p, void *l4, void *data_end, __u32 offset, __u32 end,
				       __u32 gso_size, __u8 protocol, __u16 *sport, __u16 *dport)
{
	if (protocol == IPPROTO_TCP) {
		struct tcphdr *tcp = l4;

		if ((void *)(tcp + 1) > data_end || offset + sizeof(*tcp) > end)
			return 0;
		*sport = bpf_ntohs(tcp->source);
		*dport = bpf_ntohs(tcp->dest);
		set_whole(p);
		return set_tcp(p, tcp, offset, end);
	}
	if (protocol == IPPROTO_UDP) {
		struct udphdr *udp = l4;

		if ((void *)(udp + 1) > data_end || offset + sizeof(*udp) > end)
			return 0;
		*sport = bpf_ntohs(udp->source);
		*dport = bpf_ntohs(udp->dest);
		set_whole(p);
		set_no_tcp(p);
		set_udp(p, udp, offset, end, gso_size);
		return 1;
	}
	return 0;
}

/* Plain IPv4 or IPv6 with TCP or UDP, in the linear area: fills in all of p. 0: let parse_any look, with p zeroed. */
static __always_inline int parse_fast(struct __sk_buff *skb, struct packet *p, int l2, __u32 gso_size)
{
	void *data = (void *)(long)skb->data;
	void *data_end = (void *)(long)skb->data_end;
	__u32 offset = l2 ? ETH_HLEN : 0;
	__u16 type = l2 ? 0 : skb->protocol;
	__u16 sport, dport;

	if (l2) {
		if (data + ETH_HLEN > data_end)
			return 0;
		type = *(__be16 *)(data + offsetof(struct ethhdr, h_proto));
	} else {
		p->start = 0;
	}
	if (type == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data + offset;

		if ((void *)(ip + 1) > data_end || *(__u8 *)ip != 0x45 ||
		    ip->frag_off & bpf_htons(IP_OFFSET_MASK | IP_MORE_FRAGMENTS))
			return 0;

		__u32 total = bpf_ntohs(ip->tot_len);
		__u32 end = offset + total;

		/* Else these may be an outer link's bytes that look like a header, see raw_start. */
		if (!l2 && end != skb->len)
			return 0;
		if (gso_size || end > skb->len)
			end = skb->len;
		if (!parse_ports(p, ip + 1, data_end, offset + sizeof(*ip), end, gso_size, ip->protocol, &sport,
				 &dport))
			return 0;

		__u64 src[2] = { 0, mapped_ipv4(ip->saddr) };
		__u64 dst[2] = { 0, mapped_ipv4(ip->daddr) };

		set_key(p, src, dst, sport, dport, key_meta(skb->ifindex, 0, ip->protocol));
		return 1;
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = data + offset;
		const __u64 *addresses = (const __u64 *)&ip->saddr;

		if ((void *)(ip + 1) > data_end || (*(__u8 *)ip & 0xf0) != 0x60)
			return 0;

		__u32 end = offset + sizeof(*ip) + bpf_ntohs(ip->payload_len);

		if (!l2 && end != skb->len)
			return 0;
		if (gso_size || end > skb->len)
			end = skb->len;
		if (!parse_ports(p, ip + 1, data_end, offset + sizeof(*ip), end, gso_size, ip->nexthdr, &sport,
				 &dport))
			return 0;

		__u64 src[2] = { addresses[0], addresses[1] };
		__u64 dst[2] = { addresses[2], addresses[3] };

		set_key(p, src, dst, sport, dport, key_meta(skb->ifindex, 1, ip->nexthdr));
		return 1;
	}
	return 0;
}

static __always_inline void load_ports(struct __sk_buff *skb, struct packet *p, __u32 offset, __u32 end,
				       __u8 protocol, __u16 *sport, __u16 *dport)
{
	__be16 ports[2];

	if (protocol == IPPROTO_TCP) {
		struct tcphdr tcp;

		if (offset + sizeof(tcp) <= end && !bpf_skb_load_bytes(skb, offset, &tcp, sizeof(tcp)))
			set_tcp(p, &tcp, offset, end);
	} else if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) {
		struct udphdr udp;

		p->header_len = offset + sizeof(udp);
		if (p->header_len <= end && !bpf_skb_load_bytes(skb, offset, &udp, sizeof(udp)))
			set_udp(p, &udp, offset, end, skb->gso_size);
	} else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		p->header_len = offset;
		p->payload_len = rest(end, offset);
		return;
	} else if (protocol != IPPROTO_SCTP && protocol != IPPROTO_DCCP) {
		return;
	}
	if (offset + sizeof(ports) > end || bpf_skb_load_bytes(skb, offset, ports, sizeof(ports)))
		return;
	*sport = bpf_ntohs(ports[0]);
	*dport = bpf_ntohs(ports[1]);
}

/* Anything. Returns the packet's class; AYAFLOW_ATTRIBUTED means that the key is filled in. */
static __noinline int parse_any(struct __sk_buff *skb, struct packet *p, int l2)
{
	__u32 offset = 0, end, l4;
	__u16 sport = 0, dport = 0;
	__u64 src[2] = {}, dst[2] = {};
	__be16 type = skb->protocol;
	__u8 protocol;

	if (!p)
		return AYAFLOW_MALFORMED;
	if (l2) {
		if (bpf_skb_load_bytes(skb, offsetof(struct ethhdr, h_proto), &type, sizeof(type)))
			return AYAFLOW_MALFORMED;
		offset = ETH_HLEN;
		for (int i = 0; i < MAX_VLAN_TAGS; i++) {
			if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD) &&
			    type != bpf_htons(ETH_P_QINQ_OLD))
				break;
			if (bpf_skb_load_bytes(skb, offset + 2, &type, sizeof(type)))
				return AYAFLOW_MALFORMED;
			offset += 4;
		}
		if (type == bpf_htons(ETH_P_PPP_SES) || type == bpf_htons(ETH_P_MPLS_UC))
			type = skip_shim(skb, &offset, type);
	} else {
		offset = p->start = raw_start(skb);
	}
	offset = forget(offset);
	p->header_len = offset;
	p->is_tcp = 0;
	if (type == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, offset, &ip, sizeof(ip)))
			return AYAFLOW_MALFORMED;

		__u32 header = ip.ihl * 4;
		__u32 total = bpf_ntohs(ip.tot_len);

		if (ip.version != 4 || header < sizeof(ip) || offset + header > skb->len)
			return AYAFLOW_MALFORMED;
		/* BIG TCP leaves tot_len 0 on a GSO skb, and so does TSO in a capture that is replayed. */
		if (total < header && total)
			return AYAFLOW_MALFORMED;
		end = skb->gso_size || !total || offset + total > skb->len ? skb->len : offset + total;
		l4 = bpf_ntohs(ip.frag_off) & IP_OFFSET_MASK ? 0 : offset + header;
		set_fragment(p, (bpf_ntohs(ip.frag_off) & IP_OFFSET_MASK) * FRAGMENT_UNIT,
			     bpf_ntohs(ip.frag_off) & IP_MORE_FRAGMENTS);
		p->fragment_id = ip.id;
		protocol = ip.protocol;
		src[1] = mapped_ipv4(ip.saddr);
		dst[1] = mapped_ipv4(ip.daddr);
		p->header_len = offset + header;
		p->key.meta = key_meta(skb->ifindex, 0, protocol);
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, offset, &ip, sizeof(ip)) || ip.version != 6)
			return AYAFLOW_MALFORMED;

		__u32 total = sizeof(ip) + bpf_ntohs(ip.payload_len);

		/* A jumbogram (RFC 2675) and BIG TCP have payload_len 0: the skb's length is all there is. */
		end = skb->gso_size || !ip.payload_len || offset + total > skb->len ? skb->len : offset + total;
		protocol = ip.nexthdr;
		p->header_len = offset + sizeof(ip);
		l4 = skip_extensions(skb, p, offset + sizeof(ip), &protocol);
		__builtin_memcpy(src, &ip.saddr, 16);
		__builtin_memcpy(dst, &ip.daddr, 16);
		p->key.meta = key_meta(skb->ifindex, 1, protocol);
	} else {
		return AYAFLOW_NOT_IP;
	}
	if (l4) {
		load_ports(skb, p, l4, end, protocol, &sport, &dport);
		if (p->fragment)
			p->fragment_offset = p->header_len - l4;
	} else if (p->fragment) {
		p->payload_len = rest(end, p->header_len);
	}
	set_key(p, src, dst, sport, dport, p->key.meta);
	return AYAFLOW_ATTRIBUTED;
}

#endif
