/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* ps: of one worker at once, of everybody a bit in each turn of the loop, since each costs a look into files. */
#include "daemon/serve_ps.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/serve.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define COUNT_BUDGET_NS (50 * MW_NS_PER_MS)

void mw_lookups_begin(struct mw_lookups *l, struct mw_guard *g)
{
	*l = (struct mw_lookups){.g = g, .deadline_ns = mw_now_ns() + COUNT_BUDGET_NS};
	mw_keeper_busy(g->keeper, mw_now_ns() + 5 * MW_NS_PER_S);
}

void mw_lookups_end(struct mw_lookups *l)
{
	for (size_t i = 0; i < l->n_parents; i++)
		free(l->parents[i].path);
	l->n_parents = 0;
}

long mw_lookups_pids(struct mw_lookups *l, struct mw_worker *w)
{
	ssize_t n;

	if (mw_now_ns() < l->deadline_ns) {
		n = mw_cgroup_pids(w->dir_fd, true, NULL, 0);
		w->pids = n < 0 ? 0 : (long)n;
	}
	return w->pids;
}

static __u64 parent_low(struct mw_lookups *l, const char *cgroup)
{
	size_t length = (size_t)(strrchr(cgroup, '/') - cgroup);
	char path[PATH_MAX], blocker[256];
	struct mw_parent *new;
	__u64 low = 0;

	if (!length)
		return MW_UNLIMITED; /* below the root of the hierarchy, which takes nothing away */
	snprintf(path, sizeof(path), "%.*s", (int)length, cgroup);
	for (size_t i = 0; i < l->n_parents; i++) {
		if (strcmp(l->parents[i].path, path) == 0)
			return l->parents[i].low;
	}
	mw_cgroup_effective_low(l->g->mount, path, &low, blocker, sizeof(blocker));
	if (l->n_parents < MW_LOOKUPS_PARENTS) {
		new = &l->parents[l->n_parents];
		*new = (struct mw_parent){.path = strdup(path), .low = low};
		l->n_parents += new->path != NULL;
	}
	return low;
}

struct json_object *mw_lookups_ps(struct mw_lookups *l, struct mw_worker *w)
{
	__u64 above = parent_low(l, w->cgroup);

	return mw_json_ps(w, mw_lookups_pids(l, w), w->usage.low < above ? w->usage.low : above, mw_now_ns());
}

static struct json_object *one(struct mw_guard *g, struct mw_worker *w, void *arg)
{
	(void)g;
	return mw_lookups_ps(arg, w);
}

static struct json_object *one_brief(struct mw_guard *g, struct mw_worker *w, void *arg)
{
	(void)g, (void)arg;
	return mw_json_brief(w);
}

static void free_lookups(void *arg)
{
	mw_lookups_end(arg);
	free(arg);
}

static struct json_object *tail(struct mw_guard *g, void *arg)
{
	struct json_object *o = json_object_new_object();
	__u64 budget = g->cfg.tree.budget;

	json_object_object_add(o, "budget_bytes", budget == MW_UNLIMITED ? NULL : json_object_new_uint64(budget));
	json_object_object_add(o, "root", json_object_new_string(g->root));
	(void)arg;
	return o;
}

static const struct mw_turns_kind kind = {
	.what = "a list of so many workers",
	.step = mw_turns_document_step,
	.answer = mw_turns_document_answer,
	.free = mw_turns_document_free,
};

static void serve_brief(struct mw_guard *g, struct mw_request *r)
{
	mw_turns_document(g, r, &(struct mw_turns_document){.kind = &kind, .one = one_brief, .tail = tail});
}

static void serve_all(struct mw_guard *g, struct mw_request *r)
{
	struct mw_lookups *l = calloc(1, sizeof(*l));

	if (!l)
		return mw_serve_error(r, -ENOMEM, NULL);
	*l = (struct mw_lookups){.g = g, .deadline_ns = ~0ULL};
	mw_turns_document(g, r,
			  &(struct mw_turns_document){
				  .kind = &kind, .one = one, .arg = l, .free_arg = free_lookups, .tail = tail});
}

/* w alone, or nobody. */
static void serve_alone(struct mw_guard *g, struct mw_request *r, struct mw_worker *w)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *list = json_object_new_array();
	_cleanup_(mw_lookups_end) struct mw_lookups l = {0};

	mw_lookups_begin(&l, g);
	if (w)
		json_object_array_add(list, mw_lookups_ps(&l, w));
	json_object_object_add(doc, "workers", list);
	mw_serve_json(r, 200, doc);
}

/* What a program asks of itself. No look is made for it. */
static void serve_by_cgroup(struct mw_guard *g, struct mw_request *r, const char *text)
{
	uid_t reader = mw_serve_reader(r);
	struct mw_worker *w;
	__u64 id;

	if (mw_cgroup_parse_u64(text, &id) < 0)
		return mw_serve_error(r, -EINVAL, "cgroup_id: expected a number");
	w = mw_worker_by_id(&g->workers, id);
	serve_alone(g, r, w && (!reader || w->uid == reader) ? w : NULL);
}

void mw_serve_ps(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	const char *cgroup_id = rest[0] ? NULL : mw_request_query(r, "cgroup_id");
	struct mw_worker *w;

	if (cgroup_id)
		return serve_by_cgroup(g, r, cgroup_id);
	if (!rest[0] && mw_request_query(r, "brief"))
		return serve_brief(g, r);
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	if (!rest[0])
		return serve_all(g, r);
	w = mw_worker_by_name(&g->workers, rest);
	if (!w)
		return mw_serve_unknown(r, rest);
	if (mw_serve_may(g, r, MW_RIGHT_LOOK, "ps", w))
		serve_alone(g, r, w);
}
