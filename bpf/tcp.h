/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* TCP state, handshake RTT and retransmissions from what passes by (RFC 9293). */
#ifndef AYAFLOW_TCP_H
#define AYAFLOW_TCP_H

#include <bpf/bpf_helpers.h>
#include "inspect.h"
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
	return bpf_ktime_get_boot_ns() / NS_PER_US;
}

static __always_inline __u32 client_side(const struct ayaflow_slot *s)
{
	return s->info & AYAFLOW_INFO_CLIENT_B ? 1 : 0;
}

static __always_inline void set_client(struct ayaflow_slot *s, __u32 side)
{
	s->info = (s->info & ~AYAFLOW_INFO_CLIENT_B) | (side ? AYAFLOW_INFO_CLIENT_B : 0);
}

/* A SYN on a finished or never seen connection: whatever was known of an earlier one is over. */
static __always_inline void start_handshake(struct ayaflow_slot *s, __u32 client)
{
	set_client(s, client);
	s->info &= ~(AYAFLOW_INFO_SEQ_A | AYAFLOW_INFO_SEQ_B | AYAFLOW_INFO_MISSING_A | AYAFLOW_INFO_MISSING_B);
	s->rtt_server_ns = 0;
	s->rtt_client_ns = 0;
	s->syn_ns = 0;
	s->pending_ack = 0;
	s->side[0].flags = 0;
	s->side[1].flags = 0;
	s->side[0].dup_acks = 0;
	s->side[1].dup_acks = 0;
	s->side[0].start_seq = 0;
	s->side[1].start_seq = 0;
	start_inspection(s);
}

/* SYN, FIN and RST. */
static __always_inline void tcp_control(struct ayaflow_slot *s, const struct packet *p)
{
	__u32 side = p->side & 1;
	__u8 flags = p->tcp_flags;
	__u8 state = s->state;

	if (flags & TCP_RST) {
		s->state = AYAFLOW_STATE_RESET;
		return;
	}
	if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		int repeated = (s->info & (AYAFLOW_INFO_SEQ_A << side)) && p->seq + 1 == s->side[side].next_seq;

		if (state == AYAFLOW_STATE_SYN_SENT && side != client_side(s))
			return; /* simultaneous open: the first SYN made the client */
		if (!repeated || state == AYAFLOW_STATE_NONE || state >= AYAFLOW_STATE_CLOSED) {
			start_handshake(s, side);
			state = AYAFLOW_STATE_NONE;
		}
		/* The latest SYN counts, as for Wireshark's initial_rtt. */
		if (state <= AYAFLOW_STATE_SYN_RECEIVED) {
			s->syn_ns = bpf_ktime_get_boot_ns();
			s->rtt_server_ns = 0;
		}
		if (state < AYAFLOW_STATE_SYN_SENT)
			s->state = AYAFLOW_STATE_SYN_SENT;
		return;
	}
	if (flags & TCP_SYN) {
		if ((state == AYAFLOW_STATE_ESTABLISHED || state == AYAFLOW_STATE_CLOSING) && s->pending_ack &&
		    p->ack == s->pending_ack && side != s->pending_side) {
			__u64 syn_ns = s->syn_ns;
			__u32 client = s->pending_side & 1;

			start_handshake(s, client);
			s->syn_ns = syn_ns;
			s->side[client].start_seq = p->ack;
			s->state = state = AYAFLOW_STATE_SYN_SENT;
		}
		if ((state == AYAFLOW_STATE_SYN_SENT || state == AYAFLOW_STATE_SYN_RECEIVED) &&
		    side != client_side(s)) {
			if (s->syn_ns && !s->rtt_server_ns)
				s->rtt_server_ns = saturate(bpf_ktime_get_boot_ns() - s->syn_ns);
			s->state = AYAFLOW_STATE_SYN_RECEIVED;
		} else if (state == AYAFLOW_STATE_NONE || state >= AYAFLOW_STATE_CLOSED) {
			start_handshake(s, !side);
			s->state = AYAFLOW_STATE_SYN_RECEIVED;
		}
		return;
	}
	if (state >= AYAFLOW_STATE_CLOSED)
		return;
	s->state = s->side[!side].flags & TCP_FIN ? AYAFLOW_STATE_CLOSED : AYAFLOW_STATE_CLOSING;
}

/* Segments of this side are missing. The clock is read per segment only until they are acknowledged. */
static __always_inline void note_missing(struct ayaflow_slot *s, __u32 side)
{
	s->info |= AYAFLOW_INFO_MISSING_A << side;
	s->side[side].recover = s->side[side].next_seq;
	s->side[side].newest_us = now_us();
}

/* A segment that starts before the highest sequence number seen: sent again, or overtaken.
 * Told apart as by Wireshark (packet-tcp.c, tcp_analyze_sequence_number), unless it is `fresh` from this host's own TCP:
 * then nothing can have overtaken it. */
static __noinline int tcp_old_segment(struct ayaflow_slot *s, __u32 side, __u32 end, __u32 packets, __u32 fresh)
{
	struct ayaflow_side *me;
	__u32 reorder_us;

	if (!s)
		return 0;
	side &= 1;
	me = &s->side[side];
	reorder_us = ((__u64)s->rtt_server_ns + s->rtt_client_ns) / NS_PER_US;
	if (!reorder_us)
		reorder_us = DEFAULT_REORDER_US;
	/* Acknowledged already: sent again without need, not overtaken. */
	if (fresh || (s->side[!side].flags & TCP_ACK && (__s32)(s->side[!side].last_ack - end) >= 0)) {
		me->retransmits += packets;
	} else if (s->side[!side].dup_acks < FAST_RETRANSMIT_DUP_ACKS &&
		   s->info & (AYAFLOW_INFO_MISSING_A << side) && now_us() - me->newest_us < reorder_us) {
		/* The segment that ends where the newest did cannot have been overtaken. */
		__u32 newest = end == me->next_seq ? 1 : 0;

		me->retransmits += newest;
		me->out_of_order += packets - newest;
	} else {
		me->retransmits += packets;
	}
	/* More may be missing of what was sent since: it is over when all of that is acknowledged. */
	if (s->info & (AYAFLOW_INFO_MISSING_A << side))
		me->recover = me->next_seq;
	else
		note_missing(s, side);
	return 0;
}

static __always_inline void tcp_acknowledge(struct ayaflow_slot *s, const struct packet *p, __u32 len)
{
	__u32 side = p->side & 1;
	struct ayaflow_side *me = &s->side[side];
	struct ayaflow_side *peer = &s->side[!side];
	__u8 missing = AYAFLOW_INFO_MISSING_A << !side;

	if (p->ack != me->last_ack) {
		me->last_ack = p->ack;
		me->dup_acks = 0;
		if (s->info & missing && (__s32)(p->ack - peer->recover) >= 0)
			s->info &= ~missing;
	} else if (!len && !(p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) && peer->next_seq != p->ack) {
		/* With another window it is an update, but may report a loss (SACK) all the same. */
		if (p->window == me->last_window && me->dup_acks < 255)
			me->dup_acks++;
		if (!(s->info & missing))
			note_missing(s, !side);
	}
	me->last_window = p->window;
}

static __always_inline void tcp_sequence(struct __sk_buff *skb, __u32 direction, struct ayaflow_slot *s,
					 const struct packet *p)
{
	__u32 side = p->side & 1;
	struct ayaflow_side *me = &s->side[side];
	__u32 len = p->payload_len + (p->tcp_flags & TCP_SYN ? 1 : 0) + (p->tcp_flags & TCP_FIN ? 1 : 0);
	__u32 end = p->seq + len;
	__u8 known = AYAFLOW_INFO_SEQ_A << side;

	if (p->tcp_flags & TCP_ACK)
		tcp_acknowledge(s, p, len);
	if (!len)
		return;
	if (!(s->info & known)) {
		s->info |= known;
		me->next_seq = end;
		return;
	}

	__s32 ahead = p->seq - me->next_seq;

	if (ahead >= 0) {
		me->next_seq = end;
		if (ahead)
			note_missing(s, side);
		else if (s->info & (AYAFLOW_INFO_MISSING_A << side))
			me->newest_us = now_us();
		return;
	}
	/* A keep-alive or a window probe starts one byte back (RFC 9293 section 3.8.4). */
	if (ahead != -1 || (p->tcp_flags & (TCP_SYN | TCP_FIN)))
		tcp_old_segment(s, side, end, p->packets, direction == AYAFLOW_EGRESS && skb->sk);
	if ((__s32)(end - me->next_seq) > 0)
		me->next_seq = end;
}

/* A segment in order on an open connection of which nothing is missing: does what tcp_update would do. Returns 0, and
 * has done nothing, for any other. */
static __always_inline int tcp_in_order(struct ayaflow_slot *s, const struct packet *p)
{
	__u32 side = p->side & 1;
	struct ayaflow_side *me = &s->side[side];
	const __u16 known = AYAFLOW_INFO_SEQ_A | AYAFLOW_INFO_SEQ_B;
	const __u16 looked_at = 0xff00 | AYAFLOW_INFO_MISSING_A | AYAFLOW_INFO_MISSING_B | known;

	if ((*(const __u16 *)&s->info & looked_at) != (AYAFLOW_STATE_ESTABLISHED << 8 | known) ||
	    (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) != TCP_ACK || p->tcp_flags & ~me->flags ||
	    p->seq != me->next_seq)
		return 0;
	if (p->ack != me->last_ack) {
		me->last_ack = p->ack;
		me->dup_acks = 0;
	} else if (!p->payload_len && s->side[!side].next_seq != p->ack) {
		return 0;
	}
	me->last_window = p->window;
	me->next_seq = p->seq + p->payload_len;
	return 1;
}

static __always_inline void tcp_update(struct __sk_buff *skb, __u32 direction, struct ayaflow_slot *s,
				       const struct packet *p)
{
	__u32 side = p->side & 1;

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
	    (s->state == AYAFLOW_STATE_ESTABLISHED || s->state == AYAFLOW_STATE_CLOSING)) {
		/* Stray, forged, or a new connection whose answer will tell: nothing else in it counts yet. */
		s->pending_ack = p->seq + 1;
		s->pending_side = side;
		s->syn_ns = bpf_ktime_get_boot_ns();
		return;
	}
	if (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
		tcp_control(s, p);
		if (p->tcp_flags & TCP_SYN)
			s->side[side].start_seq = p->seq + 1;
	} else if (s->state == AYAFLOW_STATE_SYN_RECEIVED) {
		if (side == client_side(s) && p->tcp_flags & TCP_ACK) {
			if (s->syn_ns)
				s->rtt_client_ns =
					saturate(bpf_ktime_get_boot_ns() - s->syn_ns - s->rtt_server_ns);
			s->state = AYAFLOW_STATE_ESTABLISHED;
		}
	} else if (s->state == AYAFLOW_STATE_NONE) {
		s->state = AYAFLOW_STATE_ESTABLISHED;
	} else if (s->state == AYAFLOW_STATE_SYN_SENT) {
		/* The client goes on without an answer that we saw: the way back is another one. */
		if (side == client_side(s) && p->tcp_flags & TCP_ACK)
			s->state = AYAFLOW_STATE_ESTABLISHED;
	} else if (s->state == AYAFLOW_STATE_CLOSING && s->side[0].flags & s->side[1].flags & TCP_FIN) {
		/* FINs that crossed on two CPUs. */
		s->state = AYAFLOW_STATE_CLOSED;
	}
	s->side[side].flags |= p->tcp_flags;
	tcp_sequence(skb, direction, s, p);
}

#endif
