// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tables for people: `cat` of show/workers, show/events and show/pauses, also while no daemon runs. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "maps.bpf.h"

static const char event_names[][12] = {"-",	    "fork",	"exec",	 "exit", "attach", "mkdir",   "release",
				       "near-high", "throttle", "pause", "oom",	 "limit",  "newcomer"};
_Static_assert(sizeof(event_names) / 12 == MW_EVENT_MAX, "a name for each event type");

/* Room for 16, so that a masked number is always inside. */
static const char kind_names[16][17] = {
	"memstall",
	"high-throttle",
	"high-reclaim",
	"max-reclaim",
	"global-reclaim",
	"node-reclaim",
	"reclaim-throttle",
	"compaction",
	"thrash",
	"swap-in",
	"oom",
	"other",
};
_Static_assert(MW_PAUSE_MAX == 12, "a name for each pause kind");

static const char limit_names[4][9] = {"max", "high", "low", "swap.max"};
_Static_assert(MW_LIMIT_KIND_MAX == 4, "a name for each limit");

extern const volatile __u32 mw_page_shift;

/* Megabytes (10^6), milliseconds, seconds with one digit behind the point, rounded as the command line does. */
#define MB(bytes) ((bytes) + 50000) / 1000000, ((bytes) + 50000) / 100000 % 10
#define MS(ns)	  ((ns) + 50000) / 1000000, ((ns) + 50000) / 100000 % 10
#define S(ns)	  ((ns) + 50000000) / 1000000000, ((ns) + 50000000) / 100000000 % 10

__u64 show_headed; /* the last reading that got its heading */

/* Time for the heading? The call at the end of a table has number 0 too if there was one row or none. */
static __always_inline bool at_top(struct bpf_iter_meta *meta)
{
	if (meta->seq_num || show_headed == meta->session_id)
		return false;
	show_headed = meta->session_id;
	return true;
}

static __always_inline __u64 ago(__u64 time_ns)
{
	__u64 now = bpf_ktime_get_ns();

	return now > time_ns ? now - time_ns : 0;
}

static __always_inline void print_limit(struct seq_file *out, __u64 bytes)
{
	if (bytes == MW_UNLIMITED)
		BPF_SEQ_PRINTF(out, "       max");
	else
		BPF_SEQ_PRINTF(out, " %7llu.%llu", MB(bytes));
}

static __always_inline void print_usage(struct seq_file *out, struct mw_sample *sample)
{
	__u64 heap = sample->anon + sample->swap_usage, reclaimable = sample->slab_reclaimable;
	__u64 bin = sample->shmem + sample->sock + sample->kernel;

	bin = bin > reclaimable ? bin - reclaimable : 0;
	if (sample->max && sample->max != MW_UNLIMITED)
		BPF_SEQ_PRINTF(out, "%4llu%%", (heap + bin) * 100 / sample->max);
	else
		BPF_SEQ_PRINTF(out, "    -");
	BPF_SEQ_PRINTF(out, " %7llu.%llu %6llu.%llu %7llu.%llu", MB(heap), MB(bin), MB(sample->usage));
	print_limit(out, sample->high);
	print_limit(out, sample->max);
	BPF_SEQ_PRINTF(out, " %6llu.%llu", S(ago(sample->time_ns)));
}

/* Names stand last: however long, they push nothing aside. */
static __always_inline void print_worker(struct seq_file *out, __u64 id, struct mw_worker_info *info)
{
	__u32 slot = info->slot; /* 6.1 takes no key from an iterator's buffer */
	struct mw_sample *sample = bpf_map_lookup_elem(&samples, &slot);

	if (sample && sample->cgroup_id == id)
		print_usage(out, sample);
	else
		BPF_SEQ_PRINTF(out, "    -         -        -         -         -         -        -");
	BPF_SEQ_PRINTF(out, " %8llu.%llu %7llu %7llu %8llu %-12s %s\n", MB(info->charged_pages << mw_page_shift),
		       info->forks, info->exits, id, info->class_name, info->name);
}

SEC("iter/bpf_map_elem")
int show_workers(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *out = ctx->meta->seq;
	struct mw_worker_info *info = ctx->value;
	__u64 *id = ctx->key;

	if (at_top(ctx->meta))
		BPF_SEQ_PRINTF(out,
			       "USED%%   HEAP-MB   BIN-MB  USAGE-MB   HIGH-MB    MAX-MB    AGE-S CHARGED-MB   FORKS"
			       "   EXITS   CGROUP CLASS        WORKER\n");
	if (id && info)
		print_worker(out, *id, info);
	return 0;
}

/* A task gives itself any name: one with an escape sequence would write on the reader's terminal. */
static __always_inline void print_comm(struct seq_file *out, const char *comm)
{
	char shown[MW_COMM_SIZE] = {};

	for (int i = 0; i < MW_COMM_SIZE - 1 && comm[i]; i++)
		shown[i] = comm[i] < ' ' || comm[i] > '~' ? '?' : comm[i];
	BPF_SEQ_PRINTF(out, " %s\n", shown);
}

static __always_inline void print_written(struct seq_file *out, struct mw_event *event)
{
	__u32 file = event->flags;

	if (event->value == MW_UNLIMITED)
		BPF_SEQ_PRINTF(out, "       max    %-16s", limit_names[file & 3]);
	else
		BPF_SEQ_PRINTF(out, "%8llu.%llu MB %-16s", MB(event->value), limit_names[file & 3]);
}

/* What value or duration_ns says, in its unit. */
static __always_inline void print_value(struct seq_file *out, struct mw_event *event)
{
	__u32 kind = event->kind, signal = event->value & 0x7f;

	switch (event->type) {
	case MW_EVENT_THROTTLE:
	case MW_EVENT_PAUSE:
		BPF_SEQ_PRINTF(out, "%8llu.%llu ms %-16s", MS(event->duration_ns), kind_names[kind & 15]);
		break;
	case MW_EVENT_NEAR_HIGH:
		BPF_SEQ_PRINTF(out, "%8llu.%llu MB usage           ", MB(event->value));
		break;
	case MW_EVENT_OOM:
		BPF_SEQ_PRINTF(out, "%8llu.%llu MB rss             ", MB(event->value));
		break;
	case MW_EVENT_LIMIT:
		print_written(out, event);
		break;
	case MW_EVENT_EXIT:
		BPF_SEQ_PRINTF(out, "%10llu    %-16s", signal ? signal : event->value >> 8 & 0xff,
			       signal ? "signal" : "status");
		break;
	case MW_EVENT_MKDIR:
	case MW_EVENT_RELEASE:
		BPF_SEQ_PRINTF(out, "%10llu    cgroup          ", event->value);
		break;
	default:
		BPF_SEQ_PRINTF(out, "         -    -               ");
	}
}

static __always_inline void print_event(struct seq_file *out, struct mw_event *event)
{
	__u32 type = event->type;

	if (type == MW_EVENT_NONE || type >= MW_EVENT_MAX || (__u32)event->kind >= MW_PAUSE_MAX)
		return;
	BPF_SEQ_PRINTF(out, "%8llu %6llu.%03llu %6llu.%llu %-9s ", event->seq, event->time_ns / 1000000000,
		       event->time_ns / 1000000 % 1000, S(ago(event->time_ns)), event_names[type]);
	print_value(out, event);
	BPF_SEQ_PRINTF(out, " %7u %-24s", event->pid, event->worker);
	print_comm(out, event->comm);
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
		BPF_SEQ_PRINTF(out, "     SEQ   UPTIME-S    AGO-S EVENT          VALUE    OF                   PID "
				    "WORKER                   COMMAND\n");
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
			       "     COUNT     TOTAL-MS    MEAN-MS     MAX-MS KIND             CLASS        WORKER\n");
	if (!key || !stat || (__u32)key->kind >= MW_PAUSE_MAX)
		return 0;
	id = key->cgroup_id;
	info = bpf_map_lookup_elem(&workers, &id);
	if (!info)
		return 0;
	mean = stat->count ? stat->total_ns / stat->count : 0;
	BPF_SEQ_PRINTF(out, "%10llu %10llu.%llu %8llu.%llu %8llu.%llu", stat->count, MS(stat->total_ns), MS(mean),
		       MS(stat->max_ns));
	BPF_SEQ_PRINTF(out, " %-16s %-12s %s\n", kind_names[(__u32)key->kind & 15], info->class_name, info->name);
	return 0;
}
