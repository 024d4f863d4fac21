/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What /proc says of a process. proc_root is "/proc" or a fake tree. */
#ifndef MW_PROC_H
#define MW_PROC_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The cgroup v2 path of a process, from the cgroup root, with a leading slash ("/" for the root). -ESRCH when gone,
 * -ENOENT without v2. */
int mw_proc_cgroup(const char *proc_root, pid_t pid, char *ret_path, size_t size);
/* comm of /proc/PID/comm without newline; "" when gone. */
void mw_proc_comm(const char *proc_root, pid_t pid, char *ret_comm, size_t size);
/*
 * Path of the program it runs, as the process sees it, also where the file was replaced or removed since; "" of a
 * kernel thread. 0 or -errno.
 */
int mw_proc_exe(const char *proc_root, pid_t pid, char *ret_path, size_t size);
/* Start time in clock ticks since boot (field 22 of stat): with the pid it names a process for good. -ESRCH. */
int mw_proc_start_ticks(const char *proc_root, pid_t pid, __u64 *ret_ticks);
/* The process that began at start_ticks is there still. */
bool mw_proc_is(const char *proc_root, pid_t pid, __u64 start_ticks);
/* The same start, where of one of them only the low 32 bits are kept: they come again after 497 days. */
bool mw_proc_same_start(__u64 a, __u64 b);
/*
 * A process that began at start_ticks began after a moment of CLOCK_MONOTONIC, so that what was seen then was another
 * one's that had its pid. suspended_ns: mw_suspended_ns() of now. Where the machine has slept in between it may be said
 * too seldom, never too often; of the same tick it is not said.
 */
bool mw_proc_began_after(__u64 start_ticks, __u64 time_ns, __u64 suspended_ns);
int mw_proc_ppid(const char *proc_root, pid_t pid, pid_t *ret_ppid);
/*
 * The first thread of a process: 'R' running or waiting for a processor, 'S', 'D', 'T', 'Z' ..., and the processor time
 * it has had, nanoseconds, in steps of a clock tick (field 3, 14 and 15 of stat). -ESRCH.
 */
int mw_proc_thread(const char *proc_root, pid_t pid, char *ret_state, __u64 *ret_cpu_ns);
struct mw_proc_status {
	uid_t uids[4]; /* real, effective, saved, of file systems */
	bool ended; /* a zombie, or dead */
};
/* -ESRCH when gone; -EBADMSG when a line is missing or no number. */
int mw_proc_status(const char *proc_root, pid_t pid, struct mw_proc_status *ret_status);
/*
 * It is gone, a zombie, on its way out, or has been sent SIGKILL: what it holds (descriptors, locks) it gives back
 * soon, and by itself.
 */
bool mw_proc_dying(const char *proc_root, pid_t pid);
/* anon + swap and shmem of a process (status: RssAnon, VmSwap, RssShmem), bytes: for hosts without the v2 memory
 * controller. -ESRCH. */
int mw_proc_memory(const char *proc_root, pid_t pid, __u64 *ret_anon, __u64 *ret_swap, __u64 *ret_shmem,
		   __u64 *ret_file);
/* wchan of a task contains the over-high function. 1, 0 or -errno. */
int mw_proc_throttled(const char *proc_root, pid_t tid);
/* Does the process tree below pid fill the cgroup, i.e. is every member of it pid or a descendant? Basis of attach in
 * place. */
bool mw_proc_tree_fills(const char *proc_root, pid_t pid, const pid_t *members, size_t n);
/*
 * Processes that threads of pid have started and that still have it as their parent. Number written (<= n) or -errno;
 * -ESRCH when it has gone, -EOPNOTSUPP where the kernel does not say (CONFIG_PROC_CHILDREN).
 */
ssize_t mw_proc_children(const char *proc_root, pid_t pid, pid_t *pids, size_t n);
/* The process behind a pidfd. -EBADF when it is none, -ESRCH when it has ended or stands outside of our pid namespace.
 */
int mw_pidfd_pid(const char *proc_root, int pidfd, pid_t *ret_pid);
bool mw_pidfd_lives(int pidfd);
/* Total and free swap of the host, bytes (meminfo). */
int mw_proc_swap(const char *proc_root, __u64 *ret_total, __u64 *ret_free);

#endif
