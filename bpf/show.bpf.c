// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tables for people: `cat` of show/workers, show/events and show/pauses, also while no daemon runs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "maps.bpf.h"

static const char event_names[][12] = {"-",	  "fork",      "exec",	   "exit",  "attach", "mkdir",
				       "release", "near-high", "throttle", "pause", "oom"};
_Static_assert(sizeof(event_names) / 12 == MW_EVENT_MAX, "a name for each event type");

static const char kind_names[][16] = {"memstall", "high-throttle", "high-reclaim", "max-reclaim"};
_Static_assert(sizeof(kind_names) / 16 == MW_PAUSE_MAX, "a name for each pause kind");

/* Megabytes (10^6) with one digit behind the point, without floats. */
#define MB(bytes) (bytes) / 1000000, (bytes) / 100000 % 10
#define MS(ns)	  (ns) / 1000000, (ns) / 100000 % 10

__u64 show_headed; /* the last reading that got its heading */

/* Time for the heading? The call at the end of a table has number 0 too if there was one row or none. */
static __always_inline bool at_top(struct bpf_iter_meta *meta)
{
	if (meta->seq_num || show_headed == meta->session_id)
		return false;
	show_headed = meta->session_id;
	return true;
}

static __always_inline void print_limit(struct seq_file *out, __u64 bytes)
{
	if (bytes == MW_UNLIMITED)
		BPF_SEQ_PRINTF(out, "        max");
	else
		BPF_SEQ_PRINTF(out, " %8llu.%llu", MB(bytes));
}

static __always_inline void print_worker(struct seq_file *out, __u64 id, struct mw_worker_info *info)
{
	__u64 usage = 0, high = 0, max = 0, percent = 0;
	__u32 slot = info->slot; /* 6.1 takes no key from an iterator's buffer */
	struct mw_sample *sample = bpf_map_lookup_elem(&samples, &slot);

	if (sample && sample->cgroup_id == id) {
		usage = sample->usage;
		high = sample->high;
		max = sample->max;
		percent = max && max != MW_UNLIMITED ? usage * 100 / max : 0;
	}
	BPF_SEQ_PRINTF(out, "%-32s %-12s %8llu.%llu", info->name, info->class_name, MB(usage));
	print_limit(out, high);
	print_limit(out, max);
	BPF_SEQ_PRINTF(out, " %4llu%% %8llu %8llu %12llu %8llu\n", percent, info->forks, info->exits,
		       info->charged_pages, id);
}

SEC("iter/bpf_map_elem")
int show_workers(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *out = ctx->meta->seq;
	struct mw_worker_info *info = ctx->value;
	__u64 *id = ctx->key;

	if (at_top(ctx->meta))
		BPF_SEQ_PRINTF(out,
			       "WORKER                           CLASS          USAGE-MB    HIGH-MB     MAX-MB  USED "
			       "   FORKS    EXITS        PAGES   CGROUP\n");
	if (id && info)
		print_worker(out, *id, info);
	return 0;
}

static __always_inline void print_event(struct seq_file *out, struct mw_event *event)
{
	__u32 type = event->type, kind = event->kind;
	bool timed = type == MW_EVENT_THROTTLE || type == MW_EVENT_PAUSE;

	if (type == MW_EVENT_NONE || type >= MW_EVENT_MAX || kind >= MW_PAUSE_MAX)
		return;
	BPF_SEQ_PRINTF(out, "%8llu %6llu.%03llu %-10s %-32s %8u %-16s", event->seq, event->time_ns / 1000000000,
		       event->time_ns / 1000000 % 1000, event_names[type], event->worker, event->pid, event->comm);
	if (timed)
		BPF_SEQ_PRINTF(out, " %8llu.%llu %s", MS(event->duration_ns), kind_names[kind]);
	else if (type == MW_EVENT_NEAR_HIGH || type == MW_EVENT_OOM)
		BPF_SEQ_PRINTF(out, " %8llu.%llu MB", MB(event->value));
	else if (event->value)
		BPF_SEQ_PRINTF(out, " %10llu", event->value);
	BPF_SEQ_PRINTF(out, "\n");
}

/* Oldest first: element i of the walk is the i-th after the newest. */
SEC("iter/bpf_map_elem")
int show_events(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *out = ctx->meta->seq;
	struct mw_stats *count;
	struct mw_event *event;
	__u32 *key = ctx->key, zero = 0, index;

	if (at_top(ctx->meta))
		BPF_SEQ_PRINTF(out, "     SEQ   UPTIME-S EVENT      WORKER                                PID "
				    "COMMAND            MS/VALUE KIND\n");
	count = bpf_map_lookup_elem(&stats, &zero);
	if (!key || !count)
		return 0;
	index = (*key + count->events_emitted) & (MW_RECENT_SLOTS - 1);
	event = bpf_map_lookup_elem(&recent, &index);
	if (event)
		print_event(out, event);
	return 0;
}

SEC("iter/bpf_map_elem")
int show_pauses(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *out = ctx->meta->seq;
	struct mw_pause_key *key = ctx->key;
	struct mw_pause_stat *stat = ctx->value;
	struct mw_worker_info *info;
	__u64 id, mean;

	if (at_top(ctx->meta))
		BPF_SEQ_PRINTF(out,
			       "WORKER                           KIND                COUNT     TOTAL-MS    MEAN-MS "
			       "    MAX-MS\n");
	if (!key || !stat || (__u32)key->kind >= MW_PAUSE_MAX)
		return 0;
	id = key->cgroup_id;
	info = bpf_map_lookup_elem(&workers, &id);
	if (!info)
		return 0;
	mean = stat->count ? stat->total_ns / stat->count : 0;
	BPF_SEQ_PRINTF(out, "%-32s %-14s %10llu %10llu.%llu %8llu.%llu %8llu.%llu\n", info->name,
		       kind_names[(__u32)key->kind], stat->count, MS(stat->total_ns), MS(mean), MS(stat->max_ns));
	return 0;
}
