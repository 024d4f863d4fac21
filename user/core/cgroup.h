/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A cgroup's life on one screen, through a directory descriptor: who holds one
 * cannot be fooled by a name that is reused. -ENOENT and -ENODEV mean: it is gone.
 */
#ifndef MW_CGROUP_H
#define MW_CGROUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "memweir/abi.h"
#include "util/error.h"

/* Where cgroup v2 is mounted (/sys/fs/cgroup, or .../unified on hybrid hosts), from PREFIX/proc/self/mountinfo. -ENOENT
 * without cgroup v2. */
int mw_cgroup_mount(const char *prefix, char *ret_path, size_t size);
/* Whether the memory controller is available at this directory (cgroup.controllers). */
bool mw_cgroup_has_memory(int dir_fd);

/* below is path itself or a path under it. Both alike with or without leading slash. */
bool mw_cgroup_path_holds(const char *path, const char *below);

int mw_cgroup_open(
	const char *path); /* O_DIRECTORY|O_CLOEXEC|O_RDONLY descriptor or -errno; no symbolic link at the end */
/* kernfs id, what BPF calls the cgroup id (name_to_handle_at; elsewhere than on cgroupfs the inode number). 0 on
 * failure. */
__u64 mw_cgroup_id(int dir_fd);
/* The cgroup with that id, as mw_cgroup_open; mount: where cgroup v2 is. -ESTALE when it is gone, -EPERM without
 * CAP_DAC_READ_SEARCH. */
int mw_cgroup_open_id(const char *mount, __u64 id);

/* Read a whole file into buf, NUL-terminated. Length or -errno; -E2BIG when it does not fit (buf then holds its
 * beginning). */
ssize_t mw_cgroup_read(int dir_fd, const char *file, char *buf, size_t size);
/* What such a file holds: "max" is MW_UNLIMITED; -EBADMSG when it is no number. */
int mw_cgroup_parse_u64(const char *text, __u64 *ret);
int mw_cgroup_read_u64(int dir_fd, const char *file, __u64 *ret);
/*
 * 0 or -errno. Opened with O_NONBLOCK: newer kernels then neither reclaim nor kill inside a write of
 * memory.max or .high; 6.1 and 6.12 do, so it may block. memory.reclaim always may.
 */
int mw_cgroup_write(int dir_fd, const char *file, const char *value);
int mw_cgroup_write_u64(int dir_fd, const char *file, __u64 value); /* MW_UNLIMITED as "max" */

/* Value of "key N" in a flat keyed buffer (memory.stat, memory.events, cgroup.events). -ENOENT; -EBADMSG when it is no
 * number. */
int mw_keyed_u64(const char *buf, const char *key, __u64 *ret);

/*
 * The same figures as a BPF sample gives, read from files: for hosts without the iterator. What is missing
 * is 0, a missing limit (max, high) MW_UNLIMITED; seq is 0. -ENOENT or -ENODEV when the cgroup is gone.
 */
int mw_cgroup_sample(int dir_fd, struct mw_sample *ret_sample);
/* What memory.stat holds, into the fields of a sample that come from it; a key that is missing leaves its field. */
void mw_cgroup_parse_stat(const char *text, struct mw_sample *s);
/* Of it only memory.events: what still says something of a cgroup that is empty. 0 or -errno. */
int mw_cgroup_events(int dir_fd, __u64 ret_events[MW_MEMCG_EVENT_MAX]);

int mw_cgroup_populated(int dir_fd); /* 1, 0 or -errno */
int mw_cgroup_frozen(int dir_fd); /* cgroup.freeze as written: 1, 0 or -errno */
int mw_cgroup_freeze(int dir_fd, bool freeze);
int mw_cgroup_kill(int dir_fd); /* cgroup.kill, or SIGKILL to each member where the kernel has none */
/*
 * Members, the processes of cgroups below included when deep. Number found (may exceed n; n are written) or -errno.
 * Processes of a pid namespace we cannot see (the kernel shows 0) are left out.
 */
ssize_t mw_cgroup_pids(int dir_fd, bool deep, pid_t *pids, size_t n);
int mw_cgroup_has_pid(int dir_fd, pid_t pid); /* in cgroup.procs of this directory: 1, 0 or -errno */

/* Ids of all cgroups below (not itself), for maps/members. Number found (may exceed n) or -errno. */
ssize_t mw_cgroup_descendants(int dir_fd, __u64 *ids, size_t n);

/* Remove the cgroups below that have no processes, deepest first: what a worker made and left behind. 0 or -errno of
 * the first that stayed. */
int mw_cgroup_remove_below(int dir_fd);

/* A worker's directory below ROOT, as a starting daemon finds it. */
struct mw_cgroup_entry {
	char class_name[MW_NAME_SIZE]; /* ROOT/CLASS */
	char name[MW_NAME_SIZE]; /* ROOT/CLASS/NAME */
	__u64 id;
};
/*
 * CLASS/NAME of every worker below ROOT; ROOT/daemon and names that are too long are left out.
 * Number found (may exceed n; n are written) or -errno. entries may be NULL when n is 0.
 */
ssize_t mw_cgroup_list(int root_fd, struct mw_cgroup_entry *entries, size_t n);

/*
 * Reclaim up to bytes in batches of at most 4 MiB until deadline_ns (CLOCK_MONOTONIC),
 * until bytes are reclaimed, or until a batch frees nothing. Blocks: never in
 * the event loop. *ret_reclaimed is the drop of memory.current. 0 also when less than asked was
 * reclaimed; -EOPNOTSUPP without memory.reclaim.
 */
int mw_cgroup_reclaim(int dir_fd, __u64 bytes, __u64 deadline_ns, __u64 *ret_reclaimed);

/*
 * Ask for bytes once, in small steps, whatever the worker takes again meanwhile: a step that the kernel
 * answers without EAGAIN has freed what it asked for. *ret_freed: the sum. Otherwise as above.
 */
int mw_cgroup_reclaim_once(int dir_fd, __u64 bytes, __u64 deadline_ns, __u64 *ret_freed);

/* Any thread of it asleep in the over-high throttle now (wchan)? Writes up to n tids; number found or -errno. proc_root
 * "/proc". */
ssize_t mw_cgroup_throttled(const char *proc_root, int dir_fd, pid_t *tids, size_t n);

/*
 * Effective memory.low of dir: the least of its own and what each ancestor up to the mount still
 * protects (an ancestor with 0 makes it 0). *ret_blocker: path (from the mount, no leading slash) of the ancestor that
 * takes most of it away, "" if none. (Mounted with memory_recursiveprot an ancestor can give more than the own.)
 * cgroup: path from the mount, with or without leading slash. -ENOENT when gone.
 */
int mw_cgroup_effective_low(const char *mount, const char *cgroup, __u64 *ret_low, char *ret_blocker, size_t size);

#endif
