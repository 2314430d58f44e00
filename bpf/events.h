/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef AYAFLOW_EVENTS_H
#define AYAFLOW_EVENTS_H

#include "maps.h"
#include "packet.h"

static __always_inline void emit(__u8 type, __u32 direction, const struct packet *p, __u32 slot, __u32 gen,
				 __u64 time_ns, __u32 lost_reason)
{
	struct ayaflow_event *e = bpf_ringbuf_reserve(&ayaflow_events, sizeof(*e), 0);

	if (!e) {
		count_lost(lost_reason, type == AYAFLOW_EVENT_PACKET ? p->packets : 1);
		return;
	}
	e->type = type;
	e->direction = direction;
	e->side = p->side;
	e->tcp_flags = p->is_tcp ? p->tcp_flags : 0;
	e->slot = slot;
	e->gen = gen;
	e->bytes = p->bytes;
	e->packets = p->packets;
	e->reserved = 0;
	e->time_ns = time_ns;
	/* Userspace drains on a timer: a wake-up per event would cost more than the event. */
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#endif
