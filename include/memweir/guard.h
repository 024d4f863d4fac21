/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard's other half: a process knows its own limits, asks before it does
 * something that costs memory, and is told when memory gets short.
 *
 * Without the daemon, cgroup v2 or root everything below still answers, from
 * /proc; only nobody enforces the limits. memweir_guard_capabilities() tells.
 *
 * All functions may be called from several threads at once, but for
 * memweir_guard_free(). No thread is started. A child of fork(2) has the figures of its cgroup, or its own
 * from /proc; what its parent had registered is registered in it too.
 */
#ifndef MEMWEIR_GUARD_H
#define MEMWEIR_GUARD_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_guard;

/* How near the limits: the same judgement as `memweir check`, from the same function. */
enum memweir_level {
	MEMWEIR_LEVEL_OK = 0,
	MEMWEIR_LEVEL_WARNING = 1, /* from 0.9 × hibernate_threshold of max_heap */
	MEMWEIR_LEVEL_ERROR = 2, /* from hibernate_threshold, or bin memory over its limit */
};

/* What callbacks are told, mildest first: the same steps as those of the daemon (memweir(8), LEVELS). */
enum memweir_event {
	MEMWEIR_EVENT_WARNING = 0, /* from 0.9 × hibernate_threshold of max_heap, or bin over its limit: free what is
				      cheap to make again */
	MEMWEIR_EVENT_HIBERNATE = 1, /* from hibernate_threshold: free what can be had again at all */
	MEMWEIR_EVENT_CRITICAL = 2, /* from 95 % of max_heap: the kernel is about to kill */
	MEMWEIR_EVENT_MAX = 3,
};

/* What a guard can do. Bits are added and never reused. */
enum memweir_capability {
	MEMWEIR_CAN_CGROUP = 1 << 0, /* figures are those of a cgroup v2; else those of this process, from /proc */
	MEMWEIR_CAN_SHARED = 1 << 1, /* that cgroup had other processes too when it was looked at last */
	MEMWEIR_CAN_DAEMON = 1 << 2, /* the daemon answered and gave the limits: this process is in a worker of its */
	MEMWEIR_CAN_ENFORCE = 1 << 3, /* memory.max stands at max_heap or below: the kernel enforces it */
	MEMWEIR_CAN_RECLAIM = 1 << 4, /* hibernate reclaims: by the own cgroup's memory.reclaim or the daemon */
	MEMWEIR_CAN_PEAK = 1 << 5, /* peaks of requests are the kernel's (memory.peak, 6.12 and later) */
	MEMWEIR_CAN_PRESSURE = 1 << 6, /* memweir_guard_fd() has a descriptor */
	MEMWEIR_CAN_TIGHTEN = 1 << 7, /* own limits, tighter than the class's, were taken by the daemon */
};

/* Flags of memweir_guard_options. */
enum memweir_guard_flag {
	MEMWEIR_GUARD_REQUIRE_ENFORCEMENT = 1 << 0, /* -EOPNOTSUPP where nobody would enforce the limits */
	MEMWEIR_GUARD_NO_DAEMON = 1 << 1, /* the daemon is not asked */
	MEMWEIR_GUARD_NO_MOVE = 1 << 2, /* who is no worker does not become one: it stays in its cgroup */
};

#define MEMWEIR_UNLIMITED UINT64_MAX

struct memweir_guard_options {
	size_t size; /* of this structure */
	/* context, tool, transport, generic, or one of the daemon's; NULL: $MEMWEIR_CLASS, else generic. Who is in a
	 * worker already has that one's, whatever stands here. */
	const char *class_name;
	const char *name; /* of the worker, should the daemon make one; NULL: from the program's */
	uint64_t max_heap_bytes; /* own limit of heap + bin; 0: the class's */
	uint64_t max_bin_heap_bytes; /* of bin alone; 0: the class's, half of an own max_heap_bytes */
	double hibernate_threshold; /* share of max_heap, 0.1 to 1; 0: the class's */
	const char *socket_path; /* of the daemon; NULL: $MEMWEIR_SOCKET, else /run/memweir/memweir.sock */
	const char *root; /* in front of /proc, for tests; NULL: none */
	uint64_t cache_ns; /* a cached answer is at most about this old; 0: 100 ms */
	uint64_t flags; /* memweir_guard_flag */
};

struct memweir_guard_usage {
	size_t size; /* of this structure, by the caller */
	uint64_t heap_bytes; /* anonymous memory, resident or swapped */
	uint64_t bin_bytes; /* shmem + sockets + kernel - reclaimable slab; from /proc: shmem alone */
	uint64_t current_bytes; /* memory.current, page cache included; from /proc: resident */
	double percent; /* 100 × (heap + bin) / max_heap; may pass 100; 0 when unlimited */
};

struct memweir_guard_limits {
	size_t size; /* of this structure, by the caller */
	uint64_t max_heap_bytes; /* of heap + bin; MEMWEIR_UNLIMITED: none */
	uint64_t max_bin_heap_bytes; /* of bin; MEMWEIR_UNLIMITED: none */
	double hibernate_threshold; /* share of max_heap_bytes */
	char class_name[64];
	char worker[64]; /* as `memweir ps` names it; "": it is none */
};

/* Of one request, from begin to end. Of the whole process (or cgroup): requests at the same time see each other's. */
struct memweir_request_usage {
	size_t size; /* of this structure, by the caller */
	int64_t growth_bytes; /* heap + bin at its end less at its beginning; may be negative */
	uint64_t peak_bytes; /* highest memory in use (current_bytes above) in between, page cache included */
	uint64_t peak_growth_bytes; /* peak_bytes less what was in use at its beginning */
	uint64_t duration_ns;
	uint32_t peak_exact; /* 1: peak_bytes is the kernel's; 0: the highest of the looks that were taken meanwhile */
	uint32_t others; /* other requests that were open at some time in between */
};

/* What a callback is told; good until it returns. */
struct memweir_notice {
	size_t size; /* of this structure, by the library */
	enum memweir_event event; /* the one the callback is registered for */
	enum memweir_event reached; /* the one that was reached: event or a later one */
	const char *what; /* "usage", "pressure" (told by the daemon or the kernel), or what memweir_guard_raise was
			     given */
	double percent; /* of the last look */
};

/*
 * Runs in the thread that called a function of the guard, with no lock held: it may call every function of the guard
 * but memweir_guard_free(). For one event one callback runs at a time; who comes meanwhile does not wait.
 */
typedef void (*memweir_guard_fn)(struct memweir_guard *guard, const struct memweir_notice *notice, void *arg);

/*
 * This process gets to know its limits, and gets some where the daemon runs: in a worker (started by `memweir run`)
 * those of the worker; else it asks the daemon to become one (root, or a member of the daemon's group and a
 * selectable class): it is moved into a cgroup of its own, what it was charged before stays behind, and huge pages are
 * switched off for it where its class says so. Without, they are those of the built-in class or its own, which nobody
 * enforces. Own limits that are tighter are set with the daemon too. Blocks for 2 s at most for each question to a
 * daemon that does not answer, and until tighter limits stand, 2 s at most. options may be NULL. *ret_guard is the
 * caller's: memweir_guard_free(). -EINVAL: figures that contradict each other; -ENOENT: a class nobody knows, and no
 * max_heap_bytes; -EOPNOTSUPP: REQUIRE_ENFORCEMENT (the process may have become a worker all the same); -ENOMEM; else
 * why /proc cannot be read.
 */
MEMWEIR_API int memweir_guard_enrol(const struct memweir_guard_options *options, struct memweir_guard **ret_guard);

/* The process stays where it is, with its limits. Nobody may use the guard any more. NULL: nothing happens. */
MEMWEIR_API void memweir_guard_free(struct memweir_guard *guard);

/* Exact figures of now (memory.stat, or status of /proc). ret_usage->size says how much of it there is. -errno. */
MEMWEIR_API int memweir_guard_usage(struct memweir_guard *guard, struct memweir_guard_usage *ret_usage);

/* As they stand; asks nobody. */
MEMWEIR_API int memweir_guard_limits(struct memweir_guard *guard, struct memweir_guard_limits *ret_limits);

/* Ask the daemon for the limits again: after `memweir set`, or when it has come up. Blocks as enrol does. 0 or -errno.
 */
MEMWEIR_API int memweir_guard_refresh(struct memweir_guard *guard);

/*
 * To be called before everything that costs memory: enum memweir_level, or -errno of a look that failed. Some tens
 * of nanoseconds; a look at most once in cache_ns, by one thread, while the others get the last answer. ret_percent as
 * in memweir_guard_usage, may be NULL.
 */
MEMWEIR_API int memweir_guard_validate(struct memweir_guard *guard, double *ret_percent);

/*
 * The same of now: memory.current (or statm of /proc) is read, and what is in use more than at the last look at
 * memory.stat (or status) counts as heap. memory.stat is read again where that would change the level, or the
 * percentage by one; where page cache that was dropped meanwhile could hide such growth and it is 10 ms old; and after
 * a second, until which swapping that began is not seen.
 */
MEMWEIR_API int memweir_guard_validate_exact(struct memweir_guard *guard, double *ret_percent);

/*
 * Give back what can be given back now: malloc_trim(3), then memory.reclaim of the own cgroup, written or asked of the
 * daemon. Blocks, up to some seconds. Bytes that are less in use afterwards (current_bytes), 0 or more; -errno when no
 * look was possible.
 */
MEMWEIR_API int64_t memweir_guard_hibernate(struct memweir_guard *guard);

/* What a request costs. At most 64 are open at a time: -EBUSY. *ret_request is to be given to
 * memweir_guard_request_end. */
MEMWEIR_API int memweir_guard_request_begin(struct memweir_guard *guard, uint64_t *ret_request);

/* ret_usage may be NULL. -EINVAL: no such request is open. From any thread. The request is closed also where the look
 * failed. */
MEMWEIR_API int memweir_guard_request_end(struct memweir_guard *guard, uint64_t request,
					  struct memweir_request_usage *ret_usage);

/*
 * fn(guard, notice, arg) when the level reaches event or a later one: at once, and while it stays after 3 s and then
 * after twice as long each time. Of an event that is reached all milder ones are told first. One fn for an event; a new
 * one takes the old one's place, NULL takes it away. When this returns the old one neither runs nor will run again,
 * unless this is called from a callback of the guard. -EINVAL: no such event.
 */
MEMWEIR_API int memweir_guard_on_level(struct memweir_guard *guard, enum memweir_event event, memweir_guard_fn fn,
				       void *arg);

/* Tell the callbacks that something else than usage is short; what: in a word or two. Returns how many were called, or
 * -EINVAL. */
MEMWEIR_API int memweir_guard_raise(struct memweir_guard *guard, enum memweir_event event, const char *what);

/*
 * A descriptor to poll for input, where the daemon or a service manager tells of pressure ($MEMORY_PRESSURE_WATCH);
 * then memweir_guard_dispatch(). It is the guard's: do not read or close it. -EOPNOTSUPP: nobody tells.
 */
MEMWEIR_API int memweir_guard_fd(struct memweir_guard *guard);

/* Take what has come, look, and call the callbacks: WARNING at least. Does not block. 1: something had come, 0:
 * nothing; -errno. */
MEMWEIR_API int memweir_guard_dispatch(struct memweir_guard *guard);

/*
 * Have the daemon know how the program's own parts are doing: pools and limiters that were made with this guard and a
 * name, and the requests that were measured; `memweir report WORKER` and metrics show them. Every look (validate and
 * so on) does it by itself when it is due, once in 5 s, or as seldom as the daemon asks for; who does not look for
 * long calls this from a timer. Never waits: what the daemon answers is taken by a later call. One process of a worker
 * reports. 1: it is on its way; 0: not due; -ENODATA: nothing to be told; -EOPNOTSUPP: no daemon gave the limits; else
 * why the last one was not taken (-EBUSY: another process of the worker reports) or this one cannot be sent.
 */
MEMWEIR_API int memweir_guard_report(struct memweir_guard *guard);

/* Bits of enum memweir_capability. */
MEMWEIR_API uint64_t memweir_guard_capabilities(struct memweir_guard *guard);

/*
 * In a sentence, what one bit stands for in this guard or why it is not set: at most size - 1 bytes and a NUL.
 * Returns 1 when it is set, 0 when not, -EINVAL: no such bit.
 */
MEMWEIR_API int memweir_guard_capability_text(struct memweir_guard *guard, enum memweir_capability bit, char *ret_text,
					      size_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
