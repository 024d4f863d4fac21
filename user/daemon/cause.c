/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Why a task paused: the cgroup whose limit it met, found on the worker's path, and who filled it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NO_LENGTH (~0U)

static __u64 id_of(struct mw_guard *g, const char *path, size_t length)
{
	char full[PATH_MAX + sizeof(g->mount)];
	_cleanup_close_ int fd = -1;

	snprintf(full, sizeof(full), "%s%.*s", g->mount, (int)length, path);
	fd = mw_cgroup_open(full);
	return fd < 0 ? 0 : mw_cgroup_id(fd);
}

/* How much of the worker's path is the path of the cgroup with this id; NO_LENGTH: it is not on it. */
static __u32 length_of(struct mw_guard *g, const struct mw_worker *w, __u64 id)
{
	size_t length = strlen(w->cgroup);

	if (id == w->cgroup_id)
		return (__u32)length;
	while (length > 0) {
		while (length > 0 && w->cgroup[--length] != '/')
			;
		if (id_of(g, w->cgroup, length) == id)
			return (__u32)length;
	}
	return NO_LENGTH;
}

/* Cgroups do not move, and a worker meets the same limit many times: the last one is remembered. */
static enum mw_limit_of find_limit(struct mw_guard *g, const struct mw_worker *w, struct mw_stalls *s,
				   const struct mw_event *e, struct mw_cause *c)
{
	__u32 length = NO_LENGTH;

	if (!e->limit_id)
		return mw_limit_unnamed(e->kind);
	if (s && s->limit_id == e->limit_id)
		length = s->limit_length;
	else
		length = length_of(g, w, e->limit_id);
	if (s) {
		s->limit_id = e->limit_id;
		s->limit_length = length;
	}
	if (length == NO_LENGTH)
		return MW_LIMIT_NONE;
	c->path = w->cgroup;
	c->length = length;
	return mw_limit_at(w->cgroup, length, g->root);
}

/* A refault or a swap-in may have met either: NULL. */
static const char *file_of(enum mw_pause_kind kind)
{
	if (kind == MW_PAUSE_HIGH_THROTTLE || kind == MW_PAUSE_HIGH_RECLAIM)
		return "memory.high";
	return kind == MW_PAUSE_MAX_RECLAIM || kind == MW_PAUSE_OOM ? "memory.max" : NULL;
}

static __u64 choose(const char *file, __u64 high, __u64 max)
{
	return !file ? MW_UNLIMITED : strcmp(file, "memory.high") == 0 ? high : max;
}

static __u64 limit_bytes(const struct mw_guard *g, const struct mw_worker *w, const struct mw_cause *c)
{
	struct mw_limits shared;

	switch (c->limit) {
	case MW_LIMIT_WORKER:
		return choose(c->file, w->usage.high, w->usage.max);
	case MW_LIMIT_CLASS:
		if (!w->profile.share)
			return w->profile.budget;
		shared = mw_profile_limits(&w->profile);
		return choose(c->file, shared.high, shared.max);
	case MW_LIMIT_TREE:
		return g->cfg.tree.budget;
	default:
		return MW_UNLIMITED;
	}
}

/* A storm of pauses at one limit looks at all workers once in a while, not once a pause. */
static void find_culprit(struct mw_guard *g, __u64 limit_id, struct mw_cause *c)
{
	struct mw_culprit_memo *memo = &g->culprits[limit_id % MW_CULPRIT_MEMOS];
	__u64 now_ns = mw_now_ns();

	if (!memo->at_ns || memo->limit_id != limit_id || now_ns - memo->at_ns > MW_CULPRIT_FRESH_NS) {
		mw_culprit_find(&g->workers, now_ns, c);
		*memo = (struct mw_culprit_memo){
			.limit_id = limit_id,
			.at_ns = now_ns,
			.worker_id = c->culprit ? c->culprit->cgroup_id : 0,
			.grown = c->grown,
			.span_ns = c->span_ns,
		};
		return;
	}
	c->culprit = memo->worker_id ? mw_worker_by_id(&g->workers, memo->worker_id) : NULL;
	c->grown = memo->grown;
	c->span_ns = memo->span_ns;
}

struct mw_cause mw_stall_cause(struct mw_guard *g, struct mw_worker *w, const struct mw_event *e)
{
	struct mw_stalls *s = mw_stalls_of(w);
	struct mw_cause c = {.file = file_of(e->kind)};

	c.limit = find_limit(g, w, s, e, &c);
	c.bytes = limit_bytes(g, w, &c);
	if (c.limit == MW_LIMIT_CLASS || c.limit == MW_LIMIT_TREE || c.limit == MW_LIMIT_ANCESTOR ||
	    c.limit == MW_LIMIT_HOST)
		find_culprit(g, e->limit_id, &c);
	if (s)
		mw_stalls_note(s, e, c.limit);
	return c;
}
