/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which rules there are and whom they brought; and newcomers that somebody announces. */
#include <errno.h>
#include <string.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "util/clock.h"

/* Patterns that are not given say nothing. */
static void add_row(const char *key, const char *value, const char *about, void *arg)
{
	(void)about;
	if (*value && strcmp(key, "priority") != 0)
		json_object_object_add(arg, key, json_object_new_string(value));
}

static struct json_object *rule_object(struct mw_guard *g, const struct mw_rule *rule, __u64 matched)
{
	struct json_object *o = json_object_new_object(), *workers = json_object_new_array(),
			   *patterns = json_object_new_object();
	const struct mw_worker *w;

	json_object_object_add(o, "name", json_object_new_string(rule->name));
	json_object_object_add(o, "class", json_object_new_string(rule->class_name));
	json_object_object_add(o, "priority", json_object_new_uint64(rule->priority));
	mw_config_rows_rule(rule, add_row, patterns);
	json_object_object_del(patterns, "class");
	json_object_object_add(o, "patterns", patterns);
	json_object_object_add(o, "file", rule->file[0] ? json_object_new_string(rule->file) : NULL);
	json_object_object_add(o, "line", rule->file[0] ? json_object_new_uint64(rule->line) : NULL);
	json_object_object_add(o, "matched", json_object_new_uint64(matched));
	for (w = g->workers.by_name; w; w = w->by_name.next)
		if (strcmp(w->rule, rule->name) == 0)
			json_object_array_add(workers, json_object_new_string(w->name));
	json_object_object_add(o, "workers", workers);
	return o;
}

static struct json_object *counters(struct mw_guard *g)
{
	const struct mw_newcomers *n = &g->newcomers;
	struct json_object *o = json_object_new_object();
	struct mw_newcomer_map kernel = {0};
	const struct {
		const char *key;
		__u64 value;
	} rows[] = {
		{"told", n->told},	   {"left_out", n->dropped},  {"waiting", n->n},
		{"ended_before", n->gone}, {"admitted", n->admitted}, {"refused", n->failed},
	};

	mw_kernel_newcomers_read(g->kernel, &kernel);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_object_add(o, rows[i].key, json_object_new_uint64(rows[i].value));
	json_object_object_add(o, "told_by_kernel", json_object_new_uint64(kernel.told));
	json_object_object_add(o, "left_out_by_kernel", json_object_new_uint64(kernel.dropped));
	json_object_object_add(o, "at_once", json_object_new_boolean(mw_kernel_has(g->kernel, MW_CAP_NEWCOMERS)));
	return o;
}

void mw_serve_rules(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *doc = mw_json_document(mw_wall_ns()), *list = json_object_new_array();

	(void)rest;
	for (size_t i = 0; i < g->cfg.n_rules; i++)
		json_object_array_add(list,
				      rule_object(g, &g->cfg.rules[i],
						  i < g->newcomers.n_counts ? g->newcomers.counts[i].matched : 0));
	json_object_object_add(doc, "rules", list);
	json_object_object_add(doc, "class_carriers", json_object_new_boolean(g->cfg.monitor.class_carriers));
	json_object_object_add(doc, "newcomers", counters(g));
	mw_serve_json(r, 200, doc);
}

/* Answered at once: who announces a container must not wait until it is under guard. */
void mw_serve_newcomer(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *body = mw_serve_body(r), *pid;
	int value = 0;

	(void)rest;
	if (!body)
		return;
	if (json_object_object_get_ex(body, "pid", &pid) && json_object_is_type(pid, json_type_int))
		value = json_object_get_int(pid);
	json_object_put(body);
	if (value <= 0)
		return mw_serve_error(r, -EINVAL, "\"pid\": expected a process's number");
	mw_newcomers_announce(g, value);
	mw_serve_text(r, g->newcomers.on ? "looked at now" : "there are no rules: nothing is done");
}
