/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* From a process to a reading: find its region, copy its records twice. */
#include "leak/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "leak/heap_region.h"
#include "util/cleanup.h"

#define BLOCK	     128 /* records copied at a time */
#define SILENT_MEANS 32 /* so many times the mean without a sample: a chance of e^-32 */

/* Its pid as it sees it itself: the last of NSpid. */
static int own_pid(int proc_fd, __u32 *ret_pid)
{
	char buf[8192], *line;
	ssize_t n = mw_cgroup_read(proc_fd, "status", buf, sizeof(buf));
	char *last;

	if (n < 0)
		return n;
	line = strstr(buf, "\nNSpid:");
	if (!line)
		return -EBADMSG;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	last = strrchr(line, '\t');
	*ret_pid = last ? (__u32)strtoul(last + 1, NULL, 10) : 0;
	return *ret_pid ? 0 : -EBADMSG;
}

/* All of it or nothing: memory that goes away in between is no region. */
static int copy(int mem_fd, __u64 at, void *buf, size_t size)
{
	size_t had = 0;

	while (had < size) {
		ssize_t n = pread(mem_fd, (char *)buf + had, size - had, (off_t)(at + had));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -ESRCH : errno == EIO ? -EBADMSG : -errno;
		had += (size_t)n;
	}
	return 0;
}

static int copy_records(int mem_fd, __u64 at, const struct mw_heap_head *head, pid_t pid, struct mw_heap *h)
{
	_cleanup_free_ struct mw_heap_record *first = malloc(2 * BLOCK * sizeof(*first));
	struct mw_heap_record *second = first + BLOCK;
	int r = first ? 0 : -ENOMEM;

	at += head->records_at;
	for (size_t i = 0; r >= 0 && i < head->n_used; i += BLOCK) {
		size_t n = head->n_used - i < BLOCK ? head->n_used - i : BLOCK;

		r = copy(mem_fd, at + i * sizeof(*first), first, n * sizeof(*first));
		if (r >= 0)
			r = copy(mem_fd, at + i * sizeof(*first), second, n * sizeof(*first));
		if (r >= 0)
			r = mw_heap_add(h, pid, head, first, second, n);
	}
	return r;
}

/* Much memory, and no object of it ever met the sampler. */
static bool is_silent(const char *proc_root, pid_t pid, const struct mw_heap_head *head)
{
	__u64 anon, swap, shmem, file;

	return !head->counts[MW_HEAP_COUNT_TAKEN] && mw_proc_memory(proc_root, pid, &anon, &swap, &shmem, &file) >= 0 &&
	       anon + swap > SILENT_MEANS * head->mean_bytes;
}

/* Its head, of a region that holds all it speaks of. */
static int read_head(int mem_fd, const struct mw_heap_region *g, struct mw_heap_head *ret_head, struct mw_error *err)
{
	char buf[sizeof(struct mw_heap_head)];
	__u64 magic;
	int r = copy(mem_fd, g->begin, buf, sizeof(buf));

	if (r < 0)
		return mw_fail(err, r, "%s", strerror(-r));
	memcpy(&magic, buf, sizeof(magic)); /* is written last */
	if (!magic)
		return mw_fail(err, -ENODATA, "its heap sampler is only beginning");
	r = mw_heap_head_check(buf, sizeof(buf), ret_head, err);
	return r < 0 ? r : mw_heap_region_holds(g, ret_head, err);
}

static int read_region(const char *proc_root, int proc_fd, pid_t pid, struct mw_heap *h, struct mw_error *err)
{
	_cleanup_close_ int mem_fd = openat(proc_fd, "mem", O_RDONLY | O_CLOEXEC);
	struct mw_heap_region g = {0};
	struct mw_heap_head head = {0};
	__u32 own = 0;
	int r;

	if (mem_fd < 0)
		return mw_fail(err, -errno, "memory: %s", strerror(errno));
	r = mw_heap_region_find(proc_fd, &g, err); /* after mem was opened: it stays with the program of then */
	if (r >= 0)
		r = read_head(mem_fd, &g, &head, err);
	if (r < 0)
		return r;
	r = own_pid(proc_fd, &own);
	if (r < 0)
		return mw_fail(err, r, "status: %s", strerror(-r));
	if (head.pid != own)
		return mw_fail(err, -ENODATA, "nothing of its own: it forked, and was not sampled since");
	h->n_silent += is_silent(proc_root, pid, &head);
	mw_heap_add_counts(h, &head);
	r = copy_records(mem_fd, g.begin, &head, pid, h);
	return r < 0 ? mw_fail(err, r, "records: %s", strerror(-r)) : 0;
}

/* What is there is no region that may be read: counted, with the first cause. */
static void refuse(pid_t pid, const char *why, struct mw_heap *h)
{
	if (!h->n_refused++)
		snprintf(h->refused, sizeof(h->refused), "process %d: %.*s", pid, (int)sizeof(h->refused) - 32, why);
}

static void add_without(const char *proc_root, pid_t pid, struct mw_heap *h)
{
	__u64 anon, swap, shmem, file;

	h->n_without++;
	if (mw_proc_memory(proc_root, pid, &anon, &swap, &shmem, &file) >= 0)
		h->without_bytes += anon + swap;
}

int mw_heap_read(const char *proc_root, pid_t pid, struct mw_heap *h, struct mw_error *err)
{
	_cleanup_close_ int proc_fd = -1;
	struct mw_error why = {0};
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%d", proc_root, pid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	proc_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return mw_fail(err, errno == ENOENT ? -ESRCH : -errno, "process %d: %s", pid, strerror(errno));
	/* Of who had the pid when the folder was opened: what is read there afterwards fails when that one has gone. */
	if (mw_proc_start_ticks(proc_root, pid, &h->start_ticks) < 0)
		h->start_ticks = 0;
	r = read_region(proc_root, proc_fd, pid, h, &why);
	if (r == -ENODATA || r == -EACCES || r == -EPERM)
		add_without(proc_root, pid, h);
	if (r == -EBADMSG)
		refuse(pid, why.text, h);
	return r < 0 ? mw_fail(err, r == -ENOENT ? -ESRCH : r, "process %d: %s", pid, why.text) : 0;
}

int mw_heap_read_cgroup(const char *proc_root, int cgroup_fd, struct mw_heap *h, struct mw_error *err)
{
	_cleanup_free_ pid_t *pids = calloc(MW_HEAP_PROCESSES_MAX, sizeof(*pids));
	ssize_t n = pids ? mw_cgroup_pids(cgroup_fd, true, pids, MW_HEAP_PROCESSES_MAX) : -ENOMEM;

	if (n < 0)
		return mw_fail(err, (int)n, "processes of the cgroup: %s", strerror((int)-n));
	if (n > MW_HEAP_PROCESSES_MAX) {
		h->n_without += (__u32)(n - MW_HEAP_PROCESSES_MAX);
		n = MW_HEAP_PROCESSES_MAX;
	}
	for (ssize_t i = 0; i < n; i++) {
		int r = mw_heap_read(proc_root, pids[i], h, err);

		if (r == -ENOMEM)
			return r;
		if (r == -EBADMSG)
			add_without(proc_root, pids[i], h);
	}
	return 0;
}
