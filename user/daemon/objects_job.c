/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Probes on and off, in an action thread: finding the allocators takes a program's start, letting go a second. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/objects.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PIDS_MAX   1024
#define ASK_MS	   8000
#define LOOKS	   10 /* first ones, one after another: too many calls are not waited for */
#define LOOK_MS	   10
#define STATUS_MAX 8192

/* A process that may be probed. */
struct candidate {
	pid_t pid;
	__u64 start_ticks, anon;
};

void mw_objects_job_free(struct mw_objects_job *job)
{
	if (job)
		mw_close(&job->cgroup_fd);
	free(job);
}

static int by_memory(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->anon < y->anon ? 1 : x->anon > y->anon ? -1 : 0;
}

/* The largest first. Their number, at most n; *ret_other: how many more there are. */
static int find_candidates(int cgroup_fd, struct candidate *list, int n, unsigned *ret_other)
{
	_cleanup_free_ pid_t *pids = calloc(PIDS_MAX, sizeof(*pids));
	_cleanup_free_ struct candidate *all = calloc(PIDS_MAX, sizeof(*all));
	ssize_t found = pids && all ? mw_cgroup_pids(cgroup_fd, true, pids, PIDS_MAX) : -ENOMEM;
	int used = 0, taken;

	for (ssize_t i = 0; i < found && i < PIDS_MAX; i++) {
		__u64 swap, shmem, file;

		all[used].pid = pids[i];
		if (mw_proc_start_ticks("/proc", pids[i], &all[used].start_ticks) >= 0 &&
		    mw_proc_memory("/proc", pids[i], &all[used].anon, &swap, &shmem, &file) >= 0)
			used++;
	}
	if (found < 0)
		return (int)found;
	qsort(all, (size_t)used, sizeof(*all), by_memory);
	taken = used < n ? used : n;
	memcpy(list, all, (size_t)taken * sizeof(*all));
	*ret_other = (unsigned)(found - taken);
	return taken;
}

/* The CPU keeps a second list of return addresses, which not every kernel that has it tells of a return probe. */
static bool has_shadow_stack(pid_t pid)
{
	char path[64], buf[STATUS_MAX];
	_cleanup_fclose_ FILE *f = NULL;
	const char *line;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;
	buf[n] = '\0';
	line = strstr(buf, "\nx86_Thread_features:");
	return line && memmem(line + 1, strcspn(line + 1, "\n"), "shstk", 5);
}

static int attach_place(struct mw_objects_job *job, pid_t pid, const struct mw_allocator_place *from,
			struct mw_error *err)
{
	struct mw_allocator_place place = *from;
	const char *why = mw_probe_check_forbids(&job->check, place.code);
	char path[96];

	if (why)
		return mw_fail(err, -EPERM, "%s: %s", mw_allocator_name(place.fn), why);
	if (place.fn < MW_FN_OTEL_ALLOC)
		place.offset += mw_probe_check_skip(place.code);
	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", pid, place.start, place.end);
	return mw_object_probes_attach(job->probes, pid, path, &place, err);
}

/*
 * In the order in which they are let go, the last first: what is called most is attached last. Without malloc and free
 * the rest is worth nothing.
 */
static int attach_functions(struct mw_objects_job *job, pid_t pid, const struct mw_allocators *a, struct mw_error *err)
{
	static const enum mw_allocator_fn order[] = {
		MW_FN_MUNMAP, MW_FN_MMAP,    MW_FN_MEMALIGN, MW_FN_ALIGNED_ALLOC, MW_FN_POSIX_MEMALIGN,
		MW_FN_CALLOC, MW_FN_REALLOC, MW_FN_MALLOC,   MW_FN_FREE,
	};
	unsigned n = 0;
	int r = 0;

	if (has_shadow_stack(pid))
		return mw_fail(err, -EPERM, "process %d has a shadow stack, which probes of returns may upset", pid);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (size_t j = 0; j < a->n; j++) {
			if (a->at[j].fn != order[i])
				continue;
			r = attach_place(job, pid, &a->at[j], err);
			if (r < 0 && order[i] != MW_FN_MALLOC && order[i] != MW_FN_FREE)
				r = 0; /* its objects are not seen */
			if (r < 0)
				return r;
			n += order[i] == MW_FN_MALLOC;
		}
	}
	if (!n)
		return mw_fail(err, -ENODATA,
			       "process %d: no allocator is found in its program and libraries (static without "
			       "symbols?)",
			       pid);
	return 0;
}

static int attach_otel(struct mw_objects_job *job, pid_t pid, const struct mw_allocators *a, struct mw_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < a->n; i++) {
		if (a->at[i].fn == MW_FN_OTEL_ALLOC || a->at[i].fn == MW_FN_OTEL_FREE)
			r = attach_place(job, pid, &a->at[i], err);
	}
	return r;
}

static bool has_otel(const struct mw_allocators *a)
{
	bool alloc = false, frees = false;

	for (size_t i = 0; i < a->n; i++) {
		alloc = alloc || a->at[i].fn == MW_FN_OTEL_ALLOC;
		frees = frees || a->at[i].fn == MW_FN_OTEL_FREE;
	}
	return alloc && frees;
}

/* Of all its processes one kind of evidence: a sampler's own where the first of them has one. */
static int attach_process(struct mw_objects_job *job, const struct candidate *c, const struct mw_allocators *a,
			  struct mw_error *err)
{
	int r = 0;

	if (!job->n_processes) {
		job->otel = has_otel(a);
		job->since_ns = mw_now_ns();
	}
	if (job->otel && has_otel(a))
		r = attach_otel(job, c->pid, a, err);
	else if (job->otel)
		return -ENODATA;
	/* Its probes may stand where this kernel's do harm; its allocator's do not. */
	if (job->otel && r == -EPERM && !job->n_processes)
		job->otel = false;
	if (!job->otel)
		r = attach_functions(job, c->pid, a, err);
	if (r >= 0 && !mw_proc_is("/proc", c->pid, c->start_ticks))
		return mw_fail(err, -ESRCH, "process %d has ended", c->pid);
	return r;
}

/* Who calls far too often is let go before anybody else would have looked. */
static bool bursts(struct mw_objects_job *job)
{
	struct mw_object_counts c;

	for (int i = 0; i < LOOKS; i++) {
		poll(NULL, 0, LOOK_MS);
		mw_object_probes_counts(job->probes, &c);
		if (mw_watch_over(&job->budget, mw_now_ns() - job->since_ns, mw_object_calls(&c) - job->calls))
			return true;
	}
	return false;
}

static int attach_all(struct mw_objects_job *job, struct mw_error *err)
{
	struct candidate list[MW_OBJECTS_PROCESSES];
	struct mw_object_counts c;
	int n = find_candidates(job->cgroup_fd, list, MW_OBJECTS_PROCESSES, &job->n_other), r = 0;
	_cleanup_free_ struct mw_allocators *found = calloc(MW_OBJECTS_PROCESSES, sizeof(*found));
	int asked[MW_OBJECTS_PROCESSES];

	if (!found)
		return -ENOMEM;
	if (n <= 0)
		return n < 0 ? mw_fail(err, n, "its processes: %s", strerror(-n))
			     : mw_fail(err, -ESRCH, "it has no processes");
	/* All are asked before anybody is probed: that may take seconds. */
	for (int i = 0; i < n; i++)
		asked[i] = mw_allocators_ask(list[i].pid, list[i].start_ticks, NULL, ASK_MS, &found[i], err);
	mw_object_probes_counts(job->probes, &c);
	job->calls = mw_object_calls(&c);
	job->own_ns = c.run_ns;
	for (int i = 0; i < n; i++) {
		unsigned before = mw_object_probes_attached(job->probes);

		r = asked[i] < 0 ? asked[i] : attach_process(job, &list[i], &found[i], err);
		job->n_processes += r >= 0;
		job->n_other += r < 0;
		if (r == -ENOMEM || (r < 0 && mw_object_probes_attached(job->probes) != before))
			break; /* part of one is worse than none */
		r = 0;
	}
	if (r >= 0 && !job->n_processes)
		r = -ENODATA; /* err says of the last why not */
	if (r >= 0 && bursts(job)) {
		mw_object_probes_counts(job->probes, &c);
		job->calls = mw_object_calls(&c) - job->calls;
		job->burst = true;
	}
	job->done_ns = mw_now_ns();
	if (r < 0 || job->burst)
		mw_object_probes_detach(job->probes);
	return r;
}

/* What the counters still have of samples that are there no more. */
static int count_one(pid_t pid, const struct mw_heap_record *record, void *arg)
{
	(void)pid, (void)record;
	++*(__u64 *)arg;
	return 0;
}

static void count_others(struct mw_objects_job *job)
{
	struct mw_object_counts c;
	__u64 kept = 0;

	mw_object_probes_each(job->probes, count_one, &kept);
	mw_object_probes_counts(job->probes, &c);
	c.taken -= c.freed + c.reused;
	job->others = c.taken > kept ? c.taken - kept : 0;
	job->counted = true;
}

static int attach(struct mw_objects_job *job, struct mw_error *err)
{
	int r = 0;

	if (!job->checked) {
		mw_probe_check_run(&job->check);
		job->checked = !job->check.again;
	}
	if (!job->check.ok)
		return mw_fail(err, -EPERM, "probes do not pass their own test on this kernel: %s", job->check.why);
	if (!job->probes)
		r = mw_object_probes_open(job->mean_bytes, &job->probes, err);
	if (!r && job->fresh) {
		mw_object_probes_forget(job->probes);
		r = mw_object_probes_thin(job->probes, job->mean_bytes);
		count_others(job);
	}
	return r ? r : attach_all(job, err);
}

int mw_objects_job_run(void *arg, char *text, size_t size)
{
	struct mw_objects_job *job = arg;
	struct mw_error err = {""};
	int r = 0;

	switch (job->what) {
	case MW_OBJECTS_ATTACH:
		r = attach(job, &err);
		break;
	case MW_OBJECTS_DETACH:
		mw_object_probes_detach(job->probes);
		break;
	case MW_OBJECTS_THIN:
		r = mw_object_probes_thin(job->probes, job->mean_bytes);
		count_others(job);
		break;
	}
	if (!job->done_ns)
		job->done_ns = mw_now_ns();
	snprintf(text, size, "%s", r < 0 && !err.text[0] ? strerror(-r) : err.text);
	return r;
}
