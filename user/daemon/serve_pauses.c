/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The document of report pauses: each worker, a bit in each turn of the loop; each class, the host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "report/pause.h"

struct groups {
	struct mw_pause_group *list; /* by class; [0] is the host */
	size_t n;
};

static void groups_free(void *arg)
{
	struct groups *groups = arg;

	free(groups->list);
	free(groups);
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

static struct json_object *one(struct mw_guard *g, struct mw_worker *w, void *arg)
{
	struct mw_pause_stat stats[MW_PAUSE_MAX];

	read_stats(g, w, stats);
	add_to(arg, "", w, stats);
	add_to(arg, w->class_name, w, stats);
	return mw_json_pauses(w, stats);
}

static struct json_object *tail(struct mw_guard *g, void *arg)
{
	struct json_object *o = json_object_new_object(), *classes = json_object_new_array();
	struct groups *groups = arg;

	(void)g;
	if (groups->n > 1)
		qsort(groups->list + 1, groups->n - 1, sizeof(groups->list[0]), by_class);
	for (size_t i = 1; i < groups->n; i++)
		json_object_array_add(classes, mw_json_pause_group(&groups->list[i]));
	json_object_object_add(o, "classes", classes);
	json_object_object_add(o, "host", mw_json_pause_group(&groups->list[0]));
	return o;
}

void mw_serve_pauses(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	static const struct mw_turns_kind kind = {
		.what = "a report of so many workers",
		.step = mw_turns_document_step,
		.answer = mw_turns_document_answer,
		.free = mw_turns_document_free,
	};
	struct groups *groups = calloc(1, sizeof(*groups));

	(void)rest;
	if (!groups || !group_of(groups, "")) { /* the host, also with nobody on it */
		free(groups);
		return mw_serve_error(r, -ENOMEM, NULL);
	}
	mw_turns_document(g, r,
			  &(struct mw_turns_document){
				  .kind = &kind, .one = one, .tail = tail, .arg = groups, .free_arg = groups_free});
}
