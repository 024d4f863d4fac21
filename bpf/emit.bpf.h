/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One event to its three readers: the daemon's ring, maps/recent, and whoever listens on maps/tap. */
#ifndef MW_EMIT_BPF_H
#define MW_EMIT_BPF_H

#include "maps.bpf.h"

/* How soon the daemon wakes: whenever it has read everything, or at once even if it has not. */
enum { MW_WAKE_ADAPTIVE = 0, MW_WAKE_NOW = BPF_RB_FORCE_WAKEUP };

/* An event about the current task; mw_event_about makes it one about another. */
static __always_inline void mw_event_init(struct mw_event *event, enum mw_event_type type, __u64 worker)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	event->type = type;
	event->size = sizeof(*event);
	event->time_ns = bpf_ktime_get_ns();
	event->cgroup_id = worker;
	event->pid = pid_tgid >> 32;
	event->tid = (__u32)pid_tgid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/* It is about another task, of a tracepoint's arguments. */
static __always_inline void mw_event_about(struct mw_event *event, struct task_struct *task)
{
	event->pid = task->tgid;
	event->tid = task->pid;
	bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), task->comm);
}

/* Number it, then send it. A full ring and a missing listener are counted; recent has it either way. */
static __always_inline void mw_emit(void *ctx, struct mw_event *event, const struct mw_worker_info *info, __u64 wake)
{
	__u32 zero = 0, index;
	struct mw_stats *count = bpf_map_lookup_elem(&stats, &zero);
	struct mw_event *kept;

	if (!count)
		return;
	__builtin_memcpy(event->worker, info->name, sizeof(event->worker));
	event->seq = __sync_fetch_and_add(&count->events_emitted, 1);
	index = event->seq & (MW_RECENT_SLOTS - 1);
	kept = bpf_map_lookup_elem(&recent, &index);
	if (kept)
		__builtin_memcpy(kept, event, sizeof(*kept));
	if (bpf_ringbuf_output(&events, event, sizeof(*event), wake))
		__sync_fetch_and_add(&count->events_lost, 1);
	if (bpf_perf_event_output(ctx, &tap, BPF_F_CURRENT_CPU, event, sizeof(*event)))
		__sync_fetch_and_add(&count->tap_unread, 1);
}

#endif
