/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* uthash ends the program when memory is short unless told to report it. */
#define HASH_NONFATAL_OOM 1
#include "core/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

int mw_workers_init(struct mw_workers *ws, __u32 max_workers)
{
	__u8 *slots;

	if (!max_workers)
		return -EINVAL;
	slots = calloc(max_workers, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	*ws = (struct mw_workers){.slots = slots, .max_workers = max_workers};
	return 0;
}

static void worker_free(struct mw_worker *w)
{
	if (!w)
		return;
	mw_close(&w->dir_fd);
	mw_close(&w->pressure_fd);
	mw_series_free(&w->history);
	free(w->ladder);
	free(w->stalls);
	free(w->reported);
	mw_sites_free(w->sites);
	free(w->unit);
	mw_container_free(w->container);
	free(w->container);
	free(w->cgroup);
	free(w);
}

static void worker_freep(struct mw_worker **w)
{
	worker_free(*w);
	*w = NULL;
}

void mw_workers_free(struct mw_workers *ws)
{
	struct mw_worker *w, *next;

	HASH_ITER (by_id, ws->by_id, w, next)
		mw_worker_remove(ws, w);
	free(ws->slots);
	*ws = (struct mw_workers){0};
}

/* dir_fd is left out: it is the caller's until nothing can fail any more. */
static struct mw_worker *worker_new(const char *name, const char *class_name, const char *cgroup, __u32 max_history)
{
	_cleanup_(worker_freep) struct mw_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->dir_fd = w->pressure_fd = -1;
	w->main_status = -1;
	w->subtree = -1;
	w->watch = -1;
	w->trend.time_to_limit_s = -1;
	w->line.time_to_limit_s = -1;
	w->killed_by = MW_REASON_EXIT;
	memcpy(w->name, name, strlen(name) + 1);
	memcpy(w->class_name, class_name, strlen(class_name) + 1);
	w->cgroup = strdup(cgroup);
	if (!w->cgroup || mw_series_init(&w->history, max_history))
		return NULL;
	return TAKE_PTR(w);
}

/* In both tables or in neither. */
static int worker_insert(struct mw_workers *ws, struct mw_worker *w)
{
	HASH_ADD(by_id, ws->by_id, cgroup_id, sizeof(w->cgroup_id), w);
	if (!w->by_id.tbl)
		return -ENOMEM;
	HASH_ADD_KEYPTR(by_name, ws->by_name, w->name, strlen(w->name), w);
	if (w->by_name.tbl)
		return 0;
	HASH_DELETE(by_id, ws->by_id, w);
	return -ENOMEM;
}

int mw_worker_add(struct mw_workers *ws, const char *name, const char *class_name, const char *cgroup, int dir_fd,
		  __u64 cgroup_id, __u32 max_history, struct mw_worker **ret_worker)
{
	_cleanup_(worker_freep) struct mw_worker *w = NULL;
	__u8 *slot;
	int r;

	if (!*name || strlen(name) >= MW_NAME_SIZE || strlen(class_name) >= MW_NAME_SIZE || !max_history)
		return -EINVAL;
	if (mw_worker_by_id(ws, cgroup_id) || mw_worker_by_name(ws, name))
		return -EEXIST;
	slot = memchr(ws->slots, 0, ws->max_workers);
	if (!slot)
		return -ENOSPC;
	w = worker_new(name, class_name, cgroup, max_history);
	if (!w)
		return -ENOMEM;
	w->cgroup_id = cgroup_id;
	w->slot = (__u32)(slot - ws->slots);
	r = worker_insert(ws, w);
	if (r)
		return r;
	*slot = 1;
	ws->count++;
	w->dir_fd = dir_fd;
	*ret_worker = TAKE_PTR(w);
	return 0;
}

void mw_worker_remove(struct mw_workers *ws, struct mw_worker *w)
{
	HASH_DELETE(by_id, ws->by_id, w); /* NOLINT(clang-analyzer-core.NullDereference): w is in both tables */
	HASH_DELETE(by_name, ws->by_name, w); /* NOLINT(clang-analyzer-core.NullDereference) */
	ws->slots[w->slot] = 0;
	ws->count--;
	ws->reporting -= w->reported != NULL;
	worker_free(w);
}

struct mw_worker *mw_worker_by_id(const struct mw_workers *ws, __u64 cgroup_id)
{
	struct mw_worker *w;

	HASH_FIND(by_id, ws->by_id, &cgroup_id, sizeof(cgroup_id), w);
	return w;
}

struct mw_worker *mw_worker_by_name(const struct mw_workers *ws, const char *name)
{
	struct mw_worker *w;

	HASH_FIND(by_name, ws->by_name, name, strlen(name), w);
	return w;
}
