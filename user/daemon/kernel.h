/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The kernel side as the daemon sees it: load or adopt the BPF programs, tell
 * them who is guarded, take samples, read counters. kernel.c is the only file
 * that includes libbpf.
 *
 * Every program is optional. What the host refuses is missing from the
 * capabilities and costs its feature, never the daemon.
 */
#ifndef MW_KERNEL_H
#define MW_KERNEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "memweir/abi.h"
#include "util/error.h"

struct mw_kernel;

/* What the kernel side can do on this host; a row each in mw_kernel_capability(). */
enum mw_capability {
	MW_CAP_BTF, /* /sys/kernel/btf/vmlinux: without it no program loads */
	MW_CAP_BPFFS, /* pins: counters and programs outlive the daemon */
	MW_CAP_RINGBUF, /* events reach the daemon at once */
	MW_CAP_WORKER_EVENTS, /* fork, exec, exit, attach, release (tp_btf) */
	MW_CAP_SAMPLE_ITER, /* one pass samples every worker */
	MW_CAP_SAMPLE_FLUSH, /* statistics exact at the pass (rstat flush), else up to 2 s old */
	MW_CAP_STATISTICS, /* anon, file, shmem, ... are in samples, else 0 there: memory.stat has to be read */
	MW_CAP_PAUSE_THROTTLE, /* fentry on the over-high function: throttle sleeps measured */
	MW_CAP_PAUSE_RECLAIM, /* memcg reclaim tracepoints */
	MW_CAP_PAUSE_MEMSTALL, /* fentry/fexit on psi_memstall_*: whole stalls, refaults */
	MW_CAP_THROTTLE_EVENT, /* a planned throttle sleep is told before it begins */
	MW_CAP_NEAR_HIGH_EVENT, /* usage coming near memory.high is told: high can be lifted before the sleep */
	MW_CAP_GROWTH, /* charges and their user stacks (fexit), or page faults by chance */
	MW_CAP_OOM, /* OOM victims named */
	MW_CAP_SHOW, /* pinned iterators: cat /sys/fs/bpf/memweir/show/... */
	MW_CAP_TAP, /* perf event array for bpftool map event_pipe */
	MW_CAP_PAUSE_LIMIT, /* whose limit a reclaim is for */
	MW_CAP_PAUSE_HOST_RECLAIM, /* direct reclaim, and sleeps inside any reclaim */
	MW_CAP_PAUSE_COMPACTION,
	MW_CAP_PAUSE_SWAP_IN,
	MW_CAP_PAUSE_OOM, /* time in the OOM killer */
	MW_CAP_LIMIT_WRITER, /* who writes a worker's limits */
	MW_CAP_NEWCOMERS, /* programs and cgroups of no worker are told of as they begin */
	MW_CAP_GROWTH_COPIES, /* stacks of who grows are copied, and unwound without frame pointers */
	MW_CAP_MAX,
};

struct mw_capability_info {
	const char *name; /* "pause-throttle" */
	bool have;
	const char *lost_without; /* what the user loses; static text */
	const char *how_to_get; /* static text */
	char why[256]; /* why it is missing: the kernel's or libbpf's own words; "" when have */
	char way[128]; /* of what is had in a lesser way than others have it: which; else "" */
};

struct mw_kernel_options {
	const char *pin_dir; /* MW_PIN_DIR, or "" for no pins (tests, doctor) */
	__u32 max_workers; /* slots; 1..65536 */
	__u32 ring_bytes; /* power of two, multiple of the page size; 0: 1 MiB */
	__u32 growth_stacks_per_s; /* 0: no stacks */
	bool probe_only; /* find capabilities, attach nothing, pin nothing (doctor) */
	__u64 disable; /* bit per enum mw_capability: treat as refused (tests, --disable) */
};

/*
 * Load and attach what the host allows, or adopt what is pinned with the same
 * MW_ABI_VERSION (another version's pins are set aside under maps-old-N and
 * removed once the new programs are attached). Adopted maps keep their counts.
 * 0 even when nothing at all could be loaded: ask the capabilities. -errno only for
 * bad options, no memory, or -EBUSY: another process has these pins open (the
 * ring has one reader; after a kill -9, children forked without exec hold on to them).
 * Adopted maps may be larger than asked for; smaller ones are set aside.
 */
int mw_kernel_open(const struct mw_kernel_options *opts, struct mw_kernel **ret_kernel, struct mw_error *err);
/* Close descriptors; pinned programs go on counting. */
void mw_kernel_close(struct mw_kernel *k);
/* Remove every pin below pin_dir (also another version's), so that nothing stays behind. 0 also when nothing was there;
 * -EBUSY while a daemon has it. */
int mw_kernel_unload(const char *pin_dir, struct mw_error *err);

const struct mw_capability_info *mw_kernel_capability(const struct mw_kernel *k, enum mw_capability cap);
const char *mw_kernel_capability_name(enum mw_capability cap); /* without a kernel: "pause-throttle" */
bool mw_kernel_has(const struct mw_kernel *k, enum mw_capability cap);
bool mw_kernel_adopted(const struct mw_kernel *k); /* maps came from an earlier daemon */

/*
 * Guard a cgroup. cgroup_id: kernfs id of the directory. Counters in the map
 * are kept when the id is already there (adoption). info->slot must be free,
 * or another's that an earlier daemon left (they change places), and < max_workers. -ENOSPC when the map is full.
 * Cgroups below it that exist already: add each with mw_kernel_member_add.
 */
int mw_kernel_worker_add(struct mw_kernel *k, __u64 cgroup_id, const struct mw_worker_info *info);
/* Forget worker and its pause counters, and clear its slot; its members and growth sites are inert and swept later. 0
 * also when it was not there. */
int mw_kernel_worker_remove(struct mw_kernel *k, __u64 cgroup_id);
int mw_kernel_member_add(struct mw_kernel *k, __u64 cgroup_id, __u64 worker_id);
/* Current counters of a worker (forks, charges, ...). -ENOENT. */
int mw_kernel_worker_info(struct mw_kernel *k, __u64 cgroup_id, struct mw_worker_info *ret_info);
/* Ids in maps/workers, for adoption. Returns the number written (<= n) or -errno. */
int mw_kernel_worker_ids(struct mw_kernel *k, __u64 *ids, size_t n);

/*
 * Sampling. A subtree is a cgroup directory whose descendants are visited
 * (self_only: just itself, for attached cgroups). Returns a handle >= 0 or -errno. dir_fd stays the caller's.
 */
int mw_kernel_subtree_add(struct mw_kernel *k, int dir_fd, bool self_only);
void mw_kernel_subtree_remove(struct mw_kernel *k, int handle);
/* One pass over all subtrees. Statistics that are read are flushed first, where the kernel has MW_CAP_SAMPLE_FLUSH. 0
 * or -errno; -EOPNOTSUPP without the iterator. */
int mw_kernel_sample(struct mw_kernel *k, enum mw_sample_depth depth);
/*
 * The same for an event loop: subtrees with descendants are all visited, self_only ones as many as fit into budget_ns,
 * going on with the next ones at the next call. A slot that was not visited keeps its older sample (time_ns says when).
 */
int mw_kernel_sample_within(struct mw_kernel *k, enum mw_sample_depth depth, __u64 budget_ns);
/* Consistent copy of a slot. -EAGAIN when it has never been filled for cgroup_id. */
int mw_kernel_sample_read(const struct mw_kernel *k, __u32 slot, __u64 cgroup_id, struct mw_sample *ret_sample);

/*
 * Ring. The event is only valid during the call. A record that is none of ours
 * (mw_event_valid) is counted in mw_kernel_bad_records and not handed on.
 */
typedef void (*mw_event_fn)(const struct mw_event *event, void *arg);
int mw_kernel_events_fd(const struct mw_kernel *k); /* epoll descriptor, readable when there are records; -1 without */
int mw_kernel_events_consume(struct mw_kernel *k, mw_event_fn fn,
			     void *arg); /* number handed on or -errno; never blocks */
__u64 mw_kernel_bad_records(const struct mw_kernel *k);

/* Pause counters of a worker, one per kind; kinds never seen are zero. */
int mw_kernel_pause_read(struct mw_kernel *k, __u64 cgroup_id, enum mw_pause_kind kind, struct mw_pause_stat *ret_stat);
int mw_kernel_pauses_read(struct mw_kernel *k, __u64 cgroup_id, struct mw_pause_stat ret_stats[MW_PAUSE_MAX]);
/* Was a pause counted since this was last asked? True at first: a reading of all of them may find some. */
bool mw_kernel_pauses_moved(struct mw_kernel *k);
/*
 * Every counter of every worker, in no order: a few calls for a thousand workers. 0 or -errno; then they count as moved
 * again.
 */
typedef void (*mw_pauses_fn)(const struct mw_pause_key *key, const struct mw_pause_stat *stat, void *arg);
int mw_kernel_pauses_each(struct mw_kernel *k, mw_pauses_fn fn, void *arg);
/* Top growth sites of a worker by pages, largest first; user frames (addresses) in frames[i]. Returns the number or
 * -errno. */
struct mw_site_row {
	struct mw_site site;
	__s64 stack_id;
	__u64 frames[MW_STACK_DEPTH]; /* 0-terminated when shorter */
};
int mw_kernel_sites_read(struct mw_kernel *k, __u64 cgroup_id, struct mw_site_row *rows, size_t n);
/* Pages of a worker's growth sites that have a user stack. */
int mw_kernel_sites_sum(struct mw_kernel *k, __u64 cgroup_id, __u64 *ret_pages);

/*
 * Copies of stacks, of workers that are asked for: at most left of them, every_ns apart. Asking again fills up; 0: no
 * more. -EOPNOTSUPP without MW_CAP_GROWTH_COPIES, -ENOSPC when too many are asked for (64).
 */
int mw_kernel_copies_want(struct mw_kernel *k, __u64 cgroup_id, __u32 left, __u64 every_ns);
bool mw_kernel_copies_wanted(struct mw_kernel *k, __u64 cgroup_id);
/* Hand on what is there, of all workers; size is that of a whole record. One thread at a time. Number or -errno. */
typedef void (*mw_copy_fn)(const struct mw_copy *copy, void *arg);
int mw_kernel_copies_read(struct mw_kernel *k, mw_copy_fn fn, void *arg);

int mw_kernel_stats(struct mw_kernel *k, struct mw_stats *ret_stats);

/*
 * Which newcomers are told of (bits of enum mw_newcomer_flag; 0: none) and how many a second. Counters go on.
 * ret_counts: as they are now. -EOPNOTSUPP without MW_CAP_NEWCOMERS.
 */
int mw_kernel_newcomers_want(struct mw_kernel *k, __u32 wanted, __u32 per_s);
int mw_kernel_newcomers_read(struct mw_kernel *k, struct mw_newcomer_map *ret_counts);

/* Memory of the maps, bytes, as the kernel accounts it (fdinfo memlock). */
__u64 mw_kernel_map_bytes(const struct mw_kernel *k);

/* One loaded program since this load. */
struct mw_program_cost {
	const char *name; /* static text */
	__u64 runs, run_ns; /* 0 unless kernel.bpf_stats_enabled */
	__u64 skipped; /* runs the kernel left out: preempted inside the same program */
};
/* Returns the number written (<= n; at most 64 programs) or -errno. */
int mw_kernel_costs(const struct mw_kernel *k, struct mw_program_cost *rows, size_t n);

#endif
