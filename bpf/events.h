/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef AYAFLOW_EVENTS_H
#define AYAFLOW_EVENTS_H

#include "maps.h"
#include "packet.h"

/* Userspace drains on a timer: a wake-up per event would cost more than the event. */
#define QUIET BPF_RB_NO_WAKEUP

static __always_inline void emit_open(__u32 slot, __u32 gen)
{
	struct ayaflow_open *e = bpf_ringbuf_reserve(&ayaflow_events, sizeof(*e), 0);

	if (!e) {
		count_lost(AYAFLOW_LOST_RING_OPEN, 1);
		return;
	}
	e->type_and_slot = slot << AYAFLOW_OPEN_SLOT_SHIFT | AYAFLOW_EVENT_OPEN;
	e->gen = gen;
	bpf_ringbuf_submit(e, QUIET);
}

static __always_inline void emit_packet(__u32 direction, const struct packet *p, const struct ayaflow_slot *s)
{
	struct ayaflow_event *e = bpf_ringbuf_reserve(&ayaflow_events, sizeof(*e), 0);

	if (!e) {
		count_lost(AYAFLOW_LOST_RING_PACKET, p->packets);
		return;
	}
	e->type = AYAFLOW_EVENT_PACKET;
	e->direction = direction;
	e->side = p->side;
	e->tcp_flags = p->is_tcp ? p->tcp_flags : 0;
	e->slot = s->number;
	e->gen = s->gen;
	e->bytes = p->bytes;
	e->packets = p->packets;
	e->reserved = 0;
	e->time_ns = bpf_ktime_get_boot_ns();
	bpf_ringbuf_submit(e, QUIET);
}

#endif
