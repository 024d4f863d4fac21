/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Do so many connections fit a budget? From figures that are known or wanted, or measured on a program that
 * runs.
 *
 * All functions may be called from several threads at once; nothing is kept between two calls.
 */
#ifndef MEMWEIR_PLAN_H
#define MEMWEIR_PLAN_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

enum memweir_plan_verdict {
	MEMWEIR_PLAN_OK = 0,
	MEMWEIR_PLAN_WARNING = 1, /* fits, and takes warn_share of the budget or more */
	MEMWEIR_PLAN_TOO_MUCH = 2, /* does not fit */
};

struct memweir_plan_options {
	size_t size; /* of this structure */
	uint64_t connections;
	uint64_t budget_bytes; /* at least 1 */
	uint64_t each_bytes; /* of an idle connection, all the program keeps for it; of a session in a store: stored */
	uint64_t socket_bytes; /* of each, what the kernel keeps: memory.stat's sock and its share of kernel */
	uint64_t fixed_bytes; /* of the program without any connection */
	uint64_t buffer_bytes; /* of one buffer that a connection at work has. 0: none */
	uint64_t pool_buffers; /* there are no more buffers than these: the rest waits. 0: each gets one */
	double active_share; /* of the connections, at work at once, 0 to 1; 0: all */
	double warn_share; /* of the budget, to 1; 0: 0.97 */
};

struct memweir_plan_result {
	size_t size; /* of this structure, by the caller */
	enum memweir_plan_verdict verdict;
	uint64_t total_bytes; /* the three that follow, and fixed_bytes */
	uint64_t idle_bytes; /* connections × each_bytes */
	uint64_t sockets_bytes; /* connections × socket_bytes */
	uint64_t buffers_bytes; /* buffers in flight × buffer_bytes */
	uint64_t buffers; /* in flight */
	uint64_t budget_bytes;
	uint64_t connections;
	uint64_t connections_fit; /* most that stay within the budget; UINT64_MAX where each costs nothing */
};

/* -EINVAL: no budget, a share out of its range; -EOVERFLOW: more bytes than 64 bits hold. */
MEMWEIR_API int memweir_plan(const struct memweir_plan_options *options, struct memweir_plan_result *ret_result);

#define MEMWEIR_PLAN_TEXT 160 /* room that is always enough */

/*
 * The verdict in one sentence, NUL-terminated: "Memory OK: 2856 MB of 3 GB (95.2 %)", "Memory warning: …",
 * "Memory exceeded: 3100 MB of 3 GB (103.4 %), 14193 connections fit". Decimal units. What it is of is never rounded to
 * 100.0 % from below or above. Its length; -ENOBUFS: size is too small; -EINVAL: no such result.
 */
MEMWEIR_API int memweir_plan_text(const struct memweir_plan_result *result, char *buf, size_t size);

/* Figures of a program that runs, taken together. */
struct memweir_plan_seen {
	size_t size; /* of this structure, by the caller */
	uint64_t connections; /* that it has */
	uint64_t memory_bytes; /* charged to it without sockets: memory.stat's anon and kernel, or what a process holds
				*/
	uint64_t socket_bytes; /* memory.stat's sock; 0: not known */
};

/*
 * Look at the calling process: its own memory and swap (/proc/self/status) and the connections made to it
 * (/proc/self/net): TCP at a port, and unix stream at a path, that somebody listens at. Sockets are read from the
 * process's cgroup where that has figures of its own. -errno of a file that could not be read.
 */
MEMWEIR_API int memweir_plan_look(struct memweir_plan_seen *ret_seen);

/*
 * What was seen as each_bytes and socket_bytes of options, rounded up; fixed_bytes stands there already (0 makes a
 * connection look dearer than it is) and the rest is left alone. -ENODATA: no connections; -EINVAL: a size.
 */
MEMWEIR_API int memweir_plan_live(const struct memweir_plan_seen *seen, struct memweir_plan_options *options);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
