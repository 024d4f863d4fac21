/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The document of report pauses: each worker, each class, the host. */
#include <stdlib.h>
#include <string.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "report/pause.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct groups {
	struct mw_pause_group *list; /* by class; [0] is the host */
	size_t n;
};

static void groups_free(struct groups *groups)
{
	free(groups->list);
}

/* The class's group, a new one for a new name. NULL: no memory. */
static struct mw_pause_group *group_of(struct groups *groups, const char *class_name)
{
	struct mw_pause_group *list;

	for (size_t i = 0; i < groups->n; i++) {
		if (strcmp(groups->list[i].name, class_name) == 0)
			return &groups->list[i];
	}
	list = reallocarray(groups->list, groups->n + 1, sizeof(*list));
	if (!list)
		return NULL;
	groups->list = list;
	memset(&list[groups->n], 0, sizeof(*list));
	snprintf(list[groups->n].name, sizeof(list->name), "%s", class_name);
	return &list[groups->n++];
}

static void read_stats(struct mw_guard *g, const struct mw_worker *w, struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	if (mw_kernel_pauses_read(g->kernel, w->cgroup_id, stats) < 0)
		memset(stats, 0, MW_PAUSE_MAX * sizeof(stats[0]));
}

struct json_object *mw_serve_pauses_of(struct mw_guard *g, const struct mw_worker *w)
{
	struct mw_pause_stat stats[MW_PAUSE_MAX];

	read_stats(g, w, stats);
	return mw_json_pauses(w, stats);
}

static void add_to(struct groups *groups, const char *name, const struct mw_worker *w,
		   const struct mw_pause_stat stats[MW_PAUSE_MAX])
{
	struct mw_pause_group *group = group_of(groups, name);

	if (group)
		mw_pause_group_add(group, w, stats);
}

static int by_class(const void *a, const void *b)
{
	return strcmp(((const struct mw_pause_group *)a)->name, ((const struct mw_pause_group *)b)->name);
}

void mw_serve_pauses(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *workers = json_object_new_array(),
			   *classes = json_object_new_array();
	_cleanup_(groups_free) struct groups groups = {0};
	_cleanup_free_ struct mw_worker **all = NULL;
	size_t n = mw_serve_sorted(g, mw_serve_reader(r), &all);

	(void)rest;
	mw_keeper_busy(g->keeper, mw_now_ns() + 5 * MW_NS_PER_S);
	group_of(&groups, ""); /* the host, also with nobody on it */
	for (size_t i = 0; i < n; i++) {
		struct mw_pause_stat stats[MW_PAUSE_MAX];

		read_stats(g, all[i], stats);
		json_object_array_add(workers, mw_json_pauses(all[i], stats));
		add_to(&groups, "", all[i], stats);
		add_to(&groups, all[i]->class_name, all[i], stats);
	}
	if (groups.n > 1)
		qsort(groups.list + 1, groups.n - 1, sizeof(groups.list[0]), by_class);
	for (size_t i = 1; i < groups.n; i++)
		json_object_array_add(classes, mw_json_pause_group(&groups.list[i]));
	json_object_object_add(doc, "workers", workers);
	json_object_object_add(doc, "classes", classes);
	json_object_object_add(doc, "host", groups.n ? mw_json_pause_group(&groups.list[0]) : NULL);
	mw_serve_json(r, 200, doc);
}
