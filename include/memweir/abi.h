/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The one description of what crosses the line between the BPF programs and
 * user space: ring records and map values. Both sides include it, and
 * `bpftool map dump` prints its names.
 *
 * Rules: fixed widths, explicit padding, numbers are added and never reused,
 * text is char[], a changed layout raises MW_ABI_VERSION.
 *
 * The includer provides __u32, __u64, __s64 (vmlinux.h or <linux/types.h>).
 */
#ifndef MEMWEIR_ABI_H
#define MEMWEIR_ABI_H

#define MW_ABI_VERSION 3

#define MW_NAME_SIZE	64 /* a worker's or class's name and its NUL */
#define MW_COMM_SIZE	16 /* TASK_COMM_LEN */
#define MW_HIST_SLOTS	36 /* log2 of nanoseconds: slot i counts [2^i, 2^(i+1)); 2^35 ns = 34 s */
#define MW_RECENT_SLOTS 256 /* records kept in maps/recent; a power of two */
#define MW_STACK_DEPTH	32 /* user frames of one growth site */

/* What a ring record tells. */
enum mw_event_type {
	MW_EVENT_NONE = 0,
	MW_EVENT_FORK = 1, /* a task of a worker forked: pid = child */
	MW_EVENT_EXEC = 2, /* a task of a worker executed comm */
	MW_EVENT_EXIT = 3, /* a process of a worker ended: value = exit code as wait(2) has it */
	MW_EVENT_ATTACH = 4, /* a process moved into a worker's cgroup */
	MW_EVENT_MKDIR = 5, /* a cgroup below a worker was made: value = its id */
	MW_EVENT_RELEASE = 6, /* a worker's cgroup (or one below it) is gone: value = its id */
	MW_EVENT_NEAR_HIGH = 7, /* usage came within near_high_bytes of memory.high: value = bytes used */
	MW_EVENT_THROTTLE = 8, /* a task goes to sleep over memory.high: duration_ns = planned length */
	MW_EVENT_PAUSE = 9, /* one pause over the budget has ended: kind, duration_ns, value = pages reclaimed */
	MW_EVENT_OOM = 10, /* the kernel chose a victim: pid = victim, value = its RSS in bytes, flags: mw_oom_flag */
	MW_EVENT_LIMIT = 11, /* pid writes a limit of a worker: flags: mw_limit_kind, value = new, limit_id = old, both
				in bytes or MW_UNLIMITED */
	MW_EVENT_NEWCOMER = 12, /* of no worker: what flags say happened in cgroup_id; not numbered, in the ring only */
	MW_EVENT_MAX,
};

/* What is told of those who are in no worker: in mw_event.flags, and asked for in mw_newcomer_map.wanted. */
enum mw_newcomer_flag {
	MW_NEWCOMER_EXEC = 1, /* a program was started */
	MW_NEWCOMER_CGROUP = 2, /* the first process, or the first program, of a cgroup */
};

/*
 * What a task waited for. MEMSTALL is the whole of a stall; the kinds behind it are parts of one (they nest nowhere, so
 * that whole = parts + OTHER), except for SWAP_IN and OOM, which mostly lie outside of any memstall, and
 * RECLAIM_THROTTLE, which lies inside a reclaim. See pause.bpf.h.
 */
enum mw_pause_kind {
	MW_PAUSE_MEMSTALL = 0, /* outermost psi_memstall section */
	MW_PAUSE_HIGH_THROTTLE = 1, /* over-high function less the reclaim inside it: the penalty sleep */
	MW_PAUSE_HIGH_RECLAIM = 2, /* memcg reclaim run by the over-high function */
	MW_PAUSE_MAX_RECLAIM = 3, /* memcg reclaim because a charge met a memory.max */
	MW_PAUSE_GLOBAL_RECLAIM = 4, /* direct reclaim because the host is short of memory */
	MW_PAUSE_NODE_RECLAIM = 5, /* the same for one NUMA node (vm.zone_reclaim_mode) */
	MW_PAUSE_RECLAIM_THROTTLE = 6, /* sleep inside a reclaim: writeback, congestion, no progress */
	MW_PAUSE_COMPACTION = 7, /* direct compaction, for a huge page or another one of a high order */
	MW_PAUSE_THRASH = 8, /* waiting for a page that was evicted not long ago (a refault) */
	MW_PAUSE_SWAP_IN = 9, /* reading a page from swap, less the memstalls inside */
	MW_PAUSE_OOM = 10, /* in the OOM killer: choosing a victim, waiting for its turn */
	MW_PAUSE_OTHER = 11, /* what is left of memstalls: in none of the kinds above */
	MW_PAUSE_MAX,
};

/* Why the kernel killed, in mw_event.flags of MW_EVENT_OOM. */
enum mw_oom_flag {
	MW_OOM_MEMCG = 1, /* a memcg limit, not the host's memory */
};

/* Which limit was written, in mw_event.flags of MW_EVENT_LIMIT. */
enum mw_limit_kind {
	MW_LIMIT_MAX = 0,
	MW_LIMIT_HIGH = 1,
	MW_LIMIT_LOW = 2,
	MW_LIMIT_SWAP_MAX = 3,
	MW_LIMIT_KIND_MAX,
};

/* One ring record; the same record stands in maps/recent and is sent to maps/tap. */
struct mw_event {
	enum mw_event_type type;
	__u32 size; /* of the record, bytes */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 cgroup_id; /* the worker's (not a child's below it) */
	__u32 pid; /* process (tgid) in the initial pid namespace */
	__u32 tid; /* task */
	enum mw_pause_kind kind; /* MW_EVENT_PAUSE, MW_EVENT_THROTTLE */
	__u32 flags;
	__u64 duration_ns;
	__u64 value;
	__u64 limit_id; /* MW_EVENT_PAUSE: cgroup id of whose limit was met, the worker's or one above; 0: the host's,
			   or unknown. MW_EVENT_LIMIT: what stood there before */
	__u64 seq; /* order of emission over all CPUs; a gap is a lost record */
	char comm[MW_COMM_SIZE];
	char worker[MW_NAME_SIZE];
};

/* maps/workers: cgroup id -> this. Written by the daemon when a worker comes or changes. */
struct mw_worker_info {
	char name[MW_NAME_SIZE];
	char class_name[MW_NAME_SIZE];
	__u32 slot; /* its place in maps/samples */
	__u32 reserved;
	__u64 pause_budget_ns; /* longer pauses make an event; 0: none do */
	__u64 near_high_bytes; /* distance to memory.high that makes MW_EVENT_NEAR_HIGH; 0: never */
	/* counted by the kernel side */
	__u64 forks, execs, exits;
	__u64 charges, charged_pages; /* growth: charge batches and pages seen */
	__u64 growth_stacks; /* user stacks taken */
	__u64 near_high_at; /* last MW_EVENT_NEAR_HIGH, CLOCK_MONOTONIC ns (rate limit) */
	__u64 stack_next_at; /* no user stack is taken before, CLOCK_MONOTONIC ns (rate limit) */
	__u64 pending_charges, pending_pages; /* charges without a stack, added to the next site that gets one */
};

/* What the program worker_set is run with: new settings for a worker; the counters in info are not read. */
struct mw_worker_set {
	__u64 cgroup_id;
	struct mw_worker_info info;
};

/* maps/members: cgroup id -> id of the worker it belongs to (the worker itself or a cgroup below it). */

/* maps/pauses: key and value. */
struct mw_pause_key {
	__u64 cgroup_id;
	enum mw_pause_kind kind;
	__u32 reserved;
};

struct mw_pause_stat {
	__u64 count, total_ns, max_ns;
	__u64 hist[MW_HIST_SLOTS];
};

/* Positions in mw_sample.events[]: the kernel's enum memcg_memory_event. */
enum mw_memcg_event {
	MW_MEMCG_LOW = 0,
	MW_MEMCG_HIGH = 1,
	MW_MEMCG_MAX = 2,
	MW_MEMCG_OOM = 3,
	MW_MEMCG_OOM_KILL = 4,
	MW_MEMCG_OOM_GROUP_KILL = 5,
	MW_MEMCG_EVENT_MAX,
};

#define MW_UNLIMITED (~0ULL) /* a limit that reads "max" */

/*
 * maps/samples: an mmapable array, one slot a worker, filled by a pass of the
 * cgroup iterator. seq is odd while a slot is written. Bytes, unless said.
 */
struct mw_sample {
	__u64 seq;
	__u64 cgroup_id; /* 0: never written, or another worker's slot now */
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 usage, high, max, low; /* memory.current .high .max .low; MW_UNLIMITED for "max" */
	__u64 swap_usage, peak;
	__u64 events[MW_MEMCG_EVENT_MAX]; /* memory.events */
	__u64 anon, file, shmem, sock, kernel, slab_reclaimable; /* memory.stat */
	__u64 stat_ns; /* when these six and low were read, CLOCK_MONOTONIC; 0: never */
	__u64 stat_usage, stat_pressed; /* usage and limit events then: what tells whether they have moved since */
};

/* How much a look reads of each worker. Usage, limits and events are exact always. */
enum mw_sample_depth {
	MW_SAMPLE_COUNTERS = 0, /* these; low and statistics stay as they were */
	MW_SAMPLE_MOVED =
		1, /* statistics too where usage moved by MW_MOVED_BYTES or a limit was met since they were read */
	MW_SAMPLE_ALL = 2, /* statistics of all */
};
#define MW_MOVED_BYTES (128ULL << 10) /* half of what one CPU charges at a time: 64 pages */

/* What the program sample_walk is run with. */
struct mw_walk {
	__u64 cgroup_id; /* of the subtree's top */
	__u32 self_only; /* 1: it alone */
	__u32 reserved;
};

#define MW_SECOND_STACK (1 << 24) /* added to a stack_id of maps/growth_stacks2; its own ids are below */

/* maps/growth_sites: pages charged per worker and user stack. */
struct mw_site_key {
	__u64 cgroup_id;
	__s64 stack_id; /* into maps/growth_stacks or, less MW_SECOND_STACK, maps/growth_stacks2; < 0: none (-errno) */
};

struct mw_site {
	__u64 charges, pages;
	__u32 pid; /* last process seen at this site */
	__u32 started; /* when that process began: the low half of field 22 of its /proc/PID/stat; 0: not known */
	char comm[MW_COMM_SIZE];
};

#define MW_COPY_BYTES	  16384 /* of a stack, at most */
#define MW_COPY_REGISTERS 32

/* maps/growth_copies, a ring of its own: who charged, to be unwound. A record ends behind its last byte. */
struct mw_copy {
	__u64 cgroup_id; /* of the worker */
	__u64 pages; /* it stands for: charged since the last one of this worker was due */
	__u64 started_ns; /* of the process, since boot */
	__u32 pid, tid;
	char comm[MW_COMM_SIZE];
	__u64 pc, sp;
	__u64 registers[MW_COPY_REGISTERS]; /* by DWARF's numbers; what the processor has not is 0 */
	__u64 from; /* address of bytes[0]; at or below sp */
	__u64 size; /* of what is there, bytes */
	unsigned char bytes[MW_COPY_BYTES];
};

/* maps/growth_wanted: cgroup id of a worker -> this. Who is not in there is not copied. */
struct mw_copy_want {
	__u64 every_ns; /* at least between two of them */
	__u64 left; /* so many more; the daemon fills it up again */
	__u64 next_at; /* no sooner, CLOCK_MONOTONIC ns */
	__u64 pages; /* charged since the last one */
};

/* maps/stats: one value. Everything that was not told is counted here. */
struct mw_stats {
	__u64 events_emitted; /* records asked for; = delivered + events_lost */
	__u64 events_lost; /* the ring was full */
	__u64 tap_unread; /* maps/tap had no reader (normal) */
	__u64 task_storage_failed; /* a pause's begin could not be kept */
	__u64 pause_map_full; /* a pause was measured and had no place to be counted */
	__u64 pause_unmatched; /* an end without a begin (loaded in mid-stall, or a skipped run) */
	__u64 site_map_full; /* a growth site had no place */
	__u64 stack_failed; /* no user stack */
	__u64 stack_throttled; /* a stack not taken to stay within growth_stacks_per_s */
	__u64 members_full; /* a cgroup below a worker had no place in maps/members */
	__u64 sample_passes, sample_cgroups; /* iterator passes, cgroups visited */
	__u64 pauses_counted; /* in maps/pauses, of all workers and kinds: as long as it stands, nobody has paused */
	__u64 copies; /* stacks copied to be unwound */
	__u64 copies_lost; /* not taken: the ring was full, another one was under way, no stack of a 64-bit program */
};

/* maps/config: one value, changed at run time by the daemon. */
struct mw_config_map {
	__u32 abi_version; /* MW_ABI_VERSION of the loaded programs */
	__u32 growth_stacks_per_s; /* per worker; 0: charges are counted, no stack is taken */
	__u64 generation; /* of the programs that count; older ones still attached keep quiet */
};

/* maps/newcomers: one value. The daemon writes what it wants, the programs count. */
struct mw_newcomer_map {
	__u32 wanted; /* enum mw_newcomer_flag; 0: nobody is told of */
	__u32 per_s; /* so many are told of in a second, the rest are counted */
	__u64 second_at, in_second; /* the present second's beginning, and how many came in it */
	__u64 told, dropped; /* dropped: over per_s, or the ring was full */
};

/* Pinned paths below the bpffs directory (/sys/fs/bpf/memweir): maps/NAME, links/NAME, show/NAME (a link holds its
 * program). */
#define MW_PIN_DIR "/sys/fs/bpf/memweir"

#ifdef __cplusplus
#define MW_ABI_ASSERT(e, m) static_assert(e, m)
#else
#define MW_ABI_ASSERT(e, m) _Static_assert(e, m)
#endif
MW_ABI_ASSERT(sizeof(struct mw_event) == 152, "mw_event has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_worker_info) == 2 * MW_NAME_SIZE + 8 + 12 * 8, "mw_worker_info has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_pause_key) == 16, "mw_pause_key has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_pause_stat) == (3 + MW_HIST_SLOTS) * 8, "mw_pause_stat has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_sample) == (18 + MW_MEMCG_EVENT_MAX) * 8, "mw_sample has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_site_key) == 16, "mw_site_key has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_site) == 40, "mw_site has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_copy) == (10 + MW_COPY_REGISTERS) * 8 + MW_COPY_BYTES, "mw_copy has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_copy_want) == 4 * 8, "mw_copy_want has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_stats) == 15 * 8, "mw_stats has no hidden padding");
MW_ABI_ASSERT(sizeof(struct mw_newcomer_map) == 5 * 8, "mw_newcomer_map has no hidden padding");

#endif
