/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* TCP state, handshake RTT and retransmissions from what passes by (RFC 9293). */
#ifndef AYAFLOW_TCP_H
#define AYAFLOW_TCP_H

#include <bpf/bpf_helpers.h>
#include "packet.h"

#define NS_PER_US 1000
/* Reordering window before the RTT is known, as Wireshark has it. */
#define DEFAULT_REORDER_US 3000
#define FAST_RETRANSMIT_DUP_ACKS 2

static __always_inline __u32 saturate(__u64 ns)
{
	return ns > 0xffffffffULL ? 0xffffffffU : (__u32)ns;
}

static __always_inline __u32 now_us(void)
{
	/* 0 means never. */
	return (__u32)(bpf_ktime_get_boot_ns() / NS_PER_US) | 1;
}

static __always_inline __u32 client_side(const struct ayaflow_slot *s)
{
	return s->info & AYAFLOW_INFO_CLIENT_B ? 1 : 0;
}

static __always_inline void set_client(struct ayaflow_slot *s, __u32 side)
{
	s->info = (s->info & ~AYAFLOW_INFO_CLIENT_B) | (side ? AYAFLOW_INFO_CLIENT_B : 0) |
		  AYAFLOW_INFO_CLIENT_BY_SYN;
}

/* A SYN on a finished or never seen connection: whatever was known of an earlier one is over. */
static __always_inline void start_handshake(struct ayaflow_slot *s, __u32 client)
{
	set_client(s, client);
	s->info &= ~(AYAFLOW_INFO_SEQ_A | AYAFLOW_INFO_SEQ_B);
	s->rtt_server_ns = 0;
	s->rtt_client_ns = 0;
	s->syn_ns = 0;
	s->side[0].flags = 0;
	s->side[1].flags = 0;
	s->side[0].dup_acks = 0;
	s->side[1].dup_acks = 0;
}

/* SYN, FIN and RST. Returns 1 when this packet ended the connection. */
static __always_inline int tcp_control(struct ayaflow_slot *s, const struct packet *p)
{
	__u32 side = p->side & 1;
	__u8 flags = p->tcp_flags;
	__u8 state = s->state;

	if (flags & TCP_RST) {
		s->state = AYAFLOW_STATE_RESET;
		return state < AYAFLOW_STATE_CLOSED;
	}
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		int repeated = (s->info & (AYAFLOW_INFO_SEQ_A << side)) && p->seq + 1 == s->side[side].next_seq;

		if (state == AYAFLOW_STATE_SYN_SENT && side != client_side(s))
			return 0; /* simultaneous open: the first SYN made the client */
		if (!repeated || state == AYAFLOW_STATE_NONE || state >= AYAFLOW_STATE_CLOSED) {
			start_handshake(s, side);
			state = AYAFLOW_STATE_NONE;
		}
		if (state <= AYAFLOW_STATE_SYN_SENT) {
			s->state = AYAFLOW_STATE_SYN_SENT;
			s->syn_ns = bpf_ktime_get_boot_ns();
		}
		return 0;
	}
	if (flags & TCP_SYN) {
		if (state == AYAFLOW_STATE_SYN_SENT && side != client_side(s)) {
			if (s->syn_ns)
				s->rtt_server_ns = saturate(bpf_ktime_get_boot_ns() - s->syn_ns);
			s->state = AYAFLOW_STATE_SYN_RECEIVED;
		} else if (state == AYAFLOW_STATE_NONE || state >= AYAFLOW_STATE_CLOSED) {
			start_handshake(s, !side);
			s->state = AYAFLOW_STATE_SYN_RECEIVED;
		}
		return 0;
	}
	if (state >= AYAFLOW_STATE_CLOSED)
		return 0;
	s->state = s->side[!side].flags & TCP_FIN ? AYAFLOW_STATE_CLOSED : AYAFLOW_STATE_CLOSING;
	return s->state == AYAFLOW_STATE_CLOSED;
}

/* A segment that starts before the highest sequence number seen: sent again, or overtaken. */
static __noinline int tcp_old_segment(struct ayaflow_slot *s, __u32 side, __u32 end)
{
	struct ayaflow_side *me;

	if (!s)
		return 0;
	me = &s->side[side & 1];

	__u32 reorder_us = ((__u64)s->rtt_server_ns + s->rtt_client_ns) / NS_PER_US;

	if (!reorder_us)
		reorder_us = DEFAULT_REORDER_US;
	if (s->side[!(side & 1)].dup_acks < FAST_RETRANSMIT_DUP_ACKS && me->gap_us && end != me->next_seq &&
	    now_us() - me->gap_us < reorder_us)
		me->out_of_order++;
	else
		me->retransmits++;
	return 0;
}

static __always_inline void tcp_sequence(struct ayaflow_slot *s, const struct packet *p)
{
	__u32 side = p->side & 1;
	struct ayaflow_side *me = &s->side[side];
	struct ayaflow_side *peer = &s->side[!side];
	__u32 len = p->payload_len + (p->tcp_flags & TCP_SYN ? 1 : 0) + (p->tcp_flags & TCP_FIN ? 1 : 0);
	__u32 end = p->seq + len;
	__u8 known = AYAFLOW_INFO_SEQ_A << side;

	if (p->tcp_flags & TCP_ACK) {
		if (p->ack != me->last_ack) {
			me->last_ack = p->ack;
			me->dup_acks = 0;
		} else if (!len && !(p->tcp_flags & TCP_RST) && peer->next_seq != p->ack && me->dup_acks < 255) {
			me->dup_acks++;
		}
	}
	if (!len)
		return;
	if (!(s->info & known)) {
		s->info |= known;
		me->next_seq = end;
		return;
	}

	__s32 ahead = p->seq - me->next_seq;

	if (ahead >= 0) {
		if (ahead)
			me->gap_us = now_us();
		me->next_seq = end;
		return;
	}
	/* A keep-alive or a window probe starts one byte back (RFC 9293 section 3.8.4). */
	if (ahead != -1 || (p->tcp_flags & (TCP_SYN | TCP_FIN)))
		tcp_old_segment(s, side, end);
	if ((__s32)(end - me->next_seq) > 0)
		me->next_seq = end;
}

/* Returns 1 when this packet ended the connection. */
static __always_inline int tcp_update(struct ayaflow_slot *s, const struct packet *p)
{
	__u32 side = p->side & 1;
	int ended = 0;

	if (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
		ended = tcp_control(s, p);
	} else if (s->state == AYAFLOW_STATE_SYN_RECEIVED) {
		if (side == client_side(s) && p->tcp_flags & TCP_ACK) {
			if (s->syn_ns)
				s->rtt_client_ns =
					saturate(bpf_ktime_get_boot_ns() - s->syn_ns - s->rtt_server_ns);
			s->state = AYAFLOW_STATE_ESTABLISHED;
		}
	} else if (s->state == AYAFLOW_STATE_NONE) {
		s->state = AYAFLOW_STATE_ESTABLISHED;
	}
	s->side[side].flags |= p->tcp_flags;
	tcp_sequence(s, p);
	return ended;
}

#endif
