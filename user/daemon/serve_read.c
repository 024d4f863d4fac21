/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Documents that only look: ps, check, reports, configuration. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/serve.h"
#include "report/json.h"
#include "report/json_advice.h"
#include "util/cleanup.h"
#include "util/clock.h"

/*
 * What a document needs from files, within a budget: the loop must go on with 15 000 workers too. Counts of processes
 * that do not fit are the last known; protection is worked out once for each parent directory.
 */
#define COUNT_BUDGET_NS (50 * MW_NS_PER_MS)
#define PARENTS_MAX	64

struct lookups {
	struct mw_guard *g;
	__u64 deadline_ns;
	size_t n_parents;
	struct {
		const char *path; /* a worker's cgroup, of which length bytes are its parent */
		size_t length;
		__u64 low;
	} parents[PARENTS_MAX];
};

static void lookups_begin(struct lookups *l, struct mw_guard *g)
{
	*l = (struct lookups){.g = g, .deadline_ns = mw_now_ns() + COUNT_BUDGET_NS};
	mw_keeper_busy(g->keeper, mw_now_ns() + 5 * MW_NS_PER_S);
}

static long count_pids(struct lookups *l, struct mw_worker *w)
{
	ssize_t n;

	if (mw_now_ns() < l->deadline_ns) {
		n = mw_cgroup_pids(w->dir_fd, true, NULL, 0);
		w->pids = n < 0 ? 0 : (long)n;
	}
	return w->pids;
}

static __u64 parent_low(struct lookups *l, const char *cgroup)
{
	size_t length = (size_t)(strrchr(cgroup, '/') - cgroup);
	char path[PATH_MAX], blocker[256];
	__u64 low = 0;

	if (!length)
		return MW_UNLIMITED; /* below the root of the hierarchy, which takes nothing away */
	for (size_t i = 0; i < l->n_parents; i++) {
		if (l->parents[i].length == length && memcmp(l->parents[i].path, cgroup, length) == 0)
			return l->parents[i].low;
	}
	snprintf(path, sizeof(path), "%.*s", (int)length, cgroup);
	mw_cgroup_effective_low(l->g->mount, path, &low, blocker, sizeof(blocker));
	if (l->n_parents < PARENTS_MAX) {
		l->parents[l->n_parents].path = cgroup;
		l->parents[l->n_parents].length = length;
		l->parents[l->n_parents++].low = low;
	}
	return low;
}

static struct json_object *ps_object(struct lookups *l, struct mw_worker *w)
{
	__u64 above = parent_low(l, w->cgroup);

	return mw_json_ps(w, count_pids(l, w), w->usage.low < above ? w->usage.low : above, mw_now_ns());
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct mw_worker *const *)a)->name, (*(struct mw_worker *const *)b)->name);
}

size_t mw_serve_sorted(struct mw_guard *g, uid_t reader, struct mw_worker ***ret_workers)
{
	struct mw_worker **all = calloc(g->workers.count + 1, sizeof(all[0])), *w;
	size_t n = 0;

	for (w = g->workers.by_id; w && all; w = w->by_id.next) {
		if (!reader || w->uid == reader)
			all[n++] = w;
	}
	if (all)
		qsort(all, n, sizeof(all[0]), by_name);
	*ret_workers = all;
	return n;
}

/* workers[] in the order of their names. */
static struct json_object *each_worker(struct mw_guard *g, uid_t reader)
{
	struct json_object *list = json_object_new_array();
	_cleanup_free_ struct mw_worker **all = NULL;
	struct lookups l;
	size_t n;

	lookups_begin(&l, g);
	n = mw_serve_sorted(g, reader, &all);
	for (size_t i = 0; i < n; i++) {
		if (i % 64 == 63) /* thousands of workers take long */
			mw_keeper_busy(g->keeper, mw_now_ns() + 5 * MW_NS_PER_S);
		json_object_array_add(list, ps_object(&l, all[i]));
	}
	return list;
}

/* What a program asks of itself. No look is made for it. */
static void serve_by_cgroup(struct mw_guard *g, struct mw_request *r, const char *text)
{
	struct json_object *doc, *list;
	uid_t reader = mw_serve_reader(r);
	struct mw_worker *w;
	struct lookups l;
	__u64 id;

	if (mw_cgroup_parse_u64(text, &id) < 0)
		return mw_serve_error(r, -EINVAL, "cgroup_id: expected a number");
	doc = mw_json_document(mw_wall_ns());
	list = json_object_new_array();
	w = mw_worker_by_id(&g->workers, id);
	if (w && (!reader || w->uid == reader)) {
		lookups_begin(&l, g);
		json_object_array_add(list, ps_object(&l, w));
	}
	json_object_object_add(doc, "workers", list);
	mw_serve_json(r, 200, doc);
}

void mw_serve_ps(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	const char *cgroup_id = rest[0] ? NULL : mw_request_query(r, "cgroup_id");
	struct json_object *doc, *list;
	struct mw_worker *w;
	struct lookups l;

	if (cgroup_id)
		return serve_by_cgroup(g, r, cgroup_id);
	doc = mw_json_document(mw_wall_ns());
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	if (!rest[0]) {
		json_object_object_add(doc, "workers", each_worker(g, mw_serve_reader(r)));
		json_object_object_add(doc, "budget_bytes",
				       g->cfg.tree.budget == MW_UNLIMITED ? NULL
									  : json_object_new_uint64(g->cfg.tree.budget));
		json_object_object_add(doc, "root", json_object_new_string(g->root));
		return mw_serve_json(r, 200, doc);
	}
	w = mw_worker_by_name(&g->workers, rest);
	if (!w || !mw_serve_may(g, r, MW_RIGHT_LOOK, "ps", w)) {
		json_object_put(doc);
		return w ? (void)0 : mw_serve_unknown(r, rest);
	}
	list = json_object_new_array();
	lookups_begin(&l, g);
	json_object_array_add(list, ps_object(&l, w));
	json_object_object_add(doc, "workers", list);
	mw_serve_json(r, 200, doc);
}

void mw_serve_level(struct mw_guard *g, struct mw_request *r, struct mw_worker *w)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *level;
	char name[MW_NAME_SIZE];

	snprintf(name, sizeof(name), "%s", w->name);
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	w = mw_worker_by_name(&g->workers, name); /* it may have ended just now */
	level = w ? mw_json_level(w) : NULL;
	if (!w) {
		json_object_put(doc);
		return mw_serve_unknown(r, name);
	}
	json_object_object_foreach (level, key, value)
		json_object_object_add(doc, key, json_object_get(value));
	json_object_put(level);
	mw_serve_json(r, 200, doc);
}

static bool asked_for(struct json_object *names, const struct mw_worker *w)
{
	size_t n = names ? json_object_array_length(names) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(names, i));

		if (s && strcmp(s, w->name) == 0)
			return true;
	}
	return n == 0;
}

/* Every name must be of a worker the caller may look at. False: it has been answered. */
static bool names_good(struct mw_guard *g, struct mw_request *r, struct json_object *names)
{
	size_t n = names ? json_object_array_length(names) : 0;

	for (size_t i = 0; i < n; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(names, i));
		const struct mw_worker *w = s ? mw_worker_by_name(&g->workers, s) : NULL;

		if (!w) {
			mw_serve_unknown(r, s ? s : "null");
			return false;
		}
		if (!mw_serve_may(g, r, MW_RIGHT_LOOK, "check", w))
			return false;
	}
	return true;
}

static struct json_object *check_document(struct mw_guard *g, uid_t reader, struct json_object *names)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *list = json_object_new_array();
	struct json_object *high = json_object_new_array(), *leaks = json_object_new_array(),
			   *asleep = json_object_new_array(), *advice = json_object_new_array();
	__u64 total = 0, processes = 0, shown = 0;
	struct mw_worker *w;
	struct lookups l;

	lookups_begin(&l, g);
	for (w = g->workers.by_name; w; w = w->by_name.next) {
		struct mw_worker
			now; /* judged here; the monitor's own rhythm and what it still has to say are not touched */

		if (!asked_for(names, w) || (reader && w->uid != reader))
			continue;
		shown++;
		total += w->usage.current;
		processes += (__u64)count_pids(&l, w);
		now = *w;
		now.check = mw_verdict_check(&w->usage, &w->profile, &g->cfg.monitor);
		json_object_array_add(list, mw_json_check(&now));
		if (now.check.high_memory)
			json_object_array_add(high, json_object_new_string(w->name));
		mw_json_advise(advice, &now, &g->cfg.monitor, mw_now_ns());
		if (w->trend.verdict > MW_STEADY)
			json_object_array_add(leaks, json_object_new_string(w->name));
		if (w->hibernated)
			json_object_array_add(asleep, json_object_new_string(w->name));
	}
	json_object_object_add(doc, "checked_processes", json_object_new_uint64(processes));
	json_object_object_add(doc, "high_memory", high);
	json_object_object_add(doc, "memory_leaks", leaks);
	json_object_object_add(doc, "hibernated", asleep);
	json_object_object_add(doc, "total_memory", json_object_new_uint64(total));
	json_object_object_add(doc, "budget_bytes",
			       g->cfg.tree.budget == MW_UNLIMITED ? NULL : json_object_new_uint64(g->cfg.tree.budget));
	json_object_object_add(doc, "bytes_per_worker", json_object_new_uint64(shown ? total / shown : 0));
	json_object_object_add(doc, "workers", list);
	json_object_object_add(doc, "recommendations", advice);
	return doc;
}

/* Look now and judge what is asked for. */
void mw_serve_check(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *body, *names = NULL;

	(void)rest;
	body = mw_request_body(r)[0] ? mw_serve_body(r) : json_object_new_object();
	if (!body)
		return;
	if (json_object_object_get_ex(body, "workers", &names) && !json_object_is_type(names, json_type_array)) {
		json_object_put(body);
		return mw_serve_error(r, -EINVAL, "\"workers\": expected an array of names");
	}
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	if (names_good(g, r, names))
		mw_serve_json(r, 200, check_document(g, mw_serve_reader(r), names));
	json_object_put(body);
}

#define MEMBER_INCIDENTS 200 /* the newest ones, among which a member's own are looked for */

static struct json_object *incidents_of(struct mw_guard *g, struct mw_request *r, const char *worker, size_t n)
{
	uid_t reader = mw_serve_reader(r);

	if (!reader)
		return mw_incidents_list(g->incidents, worker, n);
	return mw_serve_mine(mw_incidents_list(g->incidents, worker, MEMBER_INCIDENTS), reader,
			     n ? n : MEMBER_INCIDENTS);
}

void mw_serve_incidents(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());
	const char *limit = mw_request_query(r, "limit");
	unsigned long n = limit ? strtoul(limit, NULL, 10) : 50;

	(void)rest;
	json_object_object_add(doc, "incidents", incidents_of(g, r, mw_request_query(r, "worker"), n));
	mw_serve_json(r, 200, doc);
}

void mw_serve_one(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct mw_worker *w = mw_worker_by_name(&g->workers, rest);
	struct json_object *doc = mw_json_document(mw_wall_ns()), *one = NULL, *incidents, *advice;
	struct lookups l;

	if (w && !mw_serve_may(g, r, MW_RIGHT_LOOK, "report", w)) {
		json_object_put(doc);
		return;
	}
	if (!w)
		one = mw_incidents_get(g->incidents, rest);
	if (one && !mw_json_is_for(one, mw_serve_reader(r))) {
		json_object_put(one);
		one = NULL;
	}
	incidents = one ? json_object_new_array() : incidents_of(g, r, rest, 20);
	if (one)
		json_object_array_add(incidents, one);
	if (!w && json_object_array_length(incidents) == 0) {
		json_object_put(incidents);
		json_object_put(doc);
		return mw_serve_error(
			r, -ENOENT,
			"no worker under guard, no incident and no dead worker with incidents has this name");
	}
	if (w) {
		mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
		w = mw_worker_by_name(&g->workers, rest); /* it may have ended just now */
	}
	if (w) {
		lookups_begin(&l, g);
		json_object_object_add(doc, "worker", ps_object(&l, w));
		json_object_object_add(doc, "leak", mw_json_leak(w, mw_now_ns(), mw_wall_ns()));
		json_object_object_add(doc, "pauses", mw_serve_pauses_of(g, w));
		json_object_object_add(doc, "ladder", mw_json_ladder(w));
		advice = json_object_new_array();
		mw_json_advise(advice, w, &g->cfg.monitor, mw_now_ns());
		json_object_object_add(doc, "recommendations", advice);
	}
	json_object_object_add(doc, "incidents", incidents);
	mw_serve_json(r, 200, doc);
}

static void add_row(const char *key, const char *value, const char *about, void *arg)
{
	(void)about;
	json_object_object_add(arg, key, json_object_new_string(value));
}

static struct json_object *class_object(const struct mw_config *cfg, const struct mw_class *c)
{
	const struct mw_limits l = mw_profile_limits(&c->profile);
	const struct {
		const char *key;
		__u64 bytes;
	} rows[] = {
		{"max_bytes", l.max},
		{"high_bytes", l.high},
		{"low_bytes", l.low},
		{"swap_max_bytes", l.swap_max},
		{"max_bin_bytes", c->profile.max_bin_heap},
		{"budget_bytes", c->profile.budget},
	};
	struct json_object *o = json_object_new_object(), *rules = json_object_new_array();

	json_object_object_add(o, "name", json_object_new_string(c->name));
	json_object_object_add(o, "builtin", json_object_new_boolean(c->builtin));
	mw_config_rows_profile(&c->profile, add_row, o);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_object_add(o, rows[i].key,
				       rows[i].bytes == MW_UNLIMITED ? NULL : json_object_new_uint64(rows[i].bytes));
	for (size_t i = 0; i < cfg->n_rules; i++)
		if (strcmp(cfg->rules[i].class_name, c->name) == 0)
			json_object_array_add(rules, json_object_new_string(cfg->rules[i].name));
	json_object_object_add(o, "rules", rules);
	return o;
}

void mw_serve_config(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *classes = json_object_new_array();
	struct json_object *monitor = json_object_new_object(), *tree = json_object_new_object();

	(void)rest;
	for (size_t i = 0; i < g->cfg.n_classes; i++)
		json_object_array_add(classes, class_object(&g->cfg, &g->cfg.classes[i]));
	mw_config_rows_monitor(&g->cfg.monitor, add_row, monitor);
	mw_config_rows_tree(&g->cfg.tree, add_row, tree);
	json_object_object_add(doc, "classes", classes);
	json_object_object_add(doc, "monitor", monitor);
	json_object_object_add(doc, "tree", tree);
	mw_serve_json(r, 200, doc);
}
