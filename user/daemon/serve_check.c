/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* check: look now, and judge everybody or who is asked for, a bit in each turn of the loop. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/serve.h"
#include "daemon/serve_ps.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "report/json_advice.h"
#include "util/clock.h"

struct check {
	struct mw_lookups lookups;
	struct json_object *high, *leaks, *asleep, *advice;
	__u64 total, processes, shown;
};

static void check_free(void *arg)
{
	struct check *c = arg;

	mw_lookups_end(&c->lookups);
	json_object_put(c->high);
	json_object_put(c->leaks);
	json_object_put(c->asleep);
	json_object_put(c->advice);
	free(c);
}

static struct json_object *one(struct mw_guard *g, struct mw_worker *w, void *arg)
{
	struct check *c = arg;
	/* Judged here: the monitor's own rhythm, and what it still has to say, are not touched. */
	struct mw_worker now = *w;

	now.check = mw_verdict_check(&w->usage, &w->profile, &g->cfg.monitor);
	c->shown++;
	c->total += w->usage.current;
	c->processes += (__u64)mw_lookups_pids(&c->lookups, w);
	if (now.check.high_memory)
		json_object_array_add(c->high, json_object_new_string(w->name));
	mw_json_advise(c->advice, &now, &g->cfg.monitor, mw_now_ns());
	if (w->trend.verdict > MW_STEADY)
		json_object_array_add(c->leaks, json_object_new_string(w->name));
	if (w->hibernated)
		json_object_array_add(c->asleep, json_object_new_string(w->name));
	return mw_json_check(&now);
}

static struct json_object *tail(struct mw_guard *g, void *arg)
{
	struct json_object *o = json_object_new_object();
	const struct check *c = arg;
	__u64 budget = g->cfg.tree.budget;

	json_object_object_add(o, "checked_processes", json_object_new_uint64(c->processes));
	json_object_object_add(o, "high_memory", json_object_get(c->high));
	json_object_object_add(o, "memory_leaks", json_object_get(c->leaks));
	json_object_object_add(o, "hibernated", json_object_get(c->asleep));
	json_object_object_add(o, "total_memory", json_object_new_uint64(c->total));
	json_object_object_add(o, "budget_bytes", budget == MW_UNLIMITED ? NULL : json_object_new_uint64(budget));
	json_object_object_add(o, "bytes_per_worker", json_object_new_uint64(c->shown ? c->total / c->shown : 0));
	json_object_object_add(o, "recommendations", json_object_get(c->advice));
	return o;
}

static int by_id(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

/* Who is asked for, each once. Every name must be of a worker the caller may look at. False: it has been answered. */
static bool only(struct mw_guard *g, struct mw_request *r, struct json_object *names, struct mw_turns_list *ret_list)
{
	size_t n = names ? json_object_array_length(names) : 0, kept = 0;
	__u64 *ids = n ? calloc(n, sizeof(*ids)) : NULL;

	*ret_list = (struct mw_turns_list){0};
	if (n && !ids) {
		mw_serve_error(r, -ENOMEM, NULL);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(names, i));
		const struct mw_worker *w = s ? mw_worker_by_name(&g->workers, s) : NULL;

		if (!w)
			mw_serve_unknown(r, s ? s : "null");
		if (!w || !mw_serve_may(g, r, MW_RIGHT_LOOK, "check", w)) {
			free(ids);
			return false;
		}
		ids[i] = w->cgroup_id;
	}
	if (n)
		qsort(ids, n, sizeof(*ids), by_id);
	for (size_t i = 0; i < n; i++)
		if (!kept || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	*ret_list = (struct mw_turns_list){.n = kept, .ids = ids};
	return true;
}

static void begin(struct mw_guard *g, struct mw_request *r, const struct mw_turns_list *list)
{
	static const struct mw_turns_kind kind = {
		.what = "a check of so many workers",
		.step = mw_turns_document_step,
		.answer = mw_turns_document_answer,
		.free = mw_turns_document_free,
	};
	struct check *c = calloc(1, sizeof(*c));

	if (!c) {
		free(list->ids);
		return mw_serve_error(r, -ENOMEM, NULL);
	}
	c->lookups = (struct mw_lookups){.g = g, .deadline_ns = ~0ULL};
	c->high = json_object_new_array();
	c->leaks = json_object_new_array();
	c->asleep = json_object_new_array();
	c->advice = json_object_new_array();
	mw_turns_document(g, r,
			  &(struct mw_turns_document){.kind = &kind,
						      .one = one,
						      .tail = tail,
						      .arg = c,
						      .free_arg = check_free,
						      .only = *list});
}

void mw_serve_check(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *body, *names = NULL;
	struct mw_turns_list list;

	(void)rest;
	body = mw_request_body(r)[0] ? mw_serve_body(r) : json_object_new_object();
	if (!body)
		return;
	if (json_object_object_get_ex(body, "workers", &names) && !json_object_is_type(names, json_type_array)) {
		json_object_put(body);
		return mw_serve_error(r, -EINVAL, "\"workers\": expected an array of names");
	}
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	if (only(g, r, names, &list))
		begin(g, r, &list);
	json_object_put(body);
}
