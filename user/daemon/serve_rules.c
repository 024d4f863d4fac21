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

static struct json_object *rule_object(struct mw_guard *g, const struct mw_rule *rule, __u64 matched, uid_t reader)
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
		if (strcmp(w->rule, rule->name) == 0 && (!reader || w->uid == reader))
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
		json_object_array_add(list, rule_object(g, &g->cfg.rules[i],
							i < g->newcomers.n_counts ? g->newcomers.counts[i].matched : 0,
							mw_serve_reader(r)));
	json_object_object_add(doc, "rules", list);
	json_object_object_add(doc, "class_carriers", json_object_new_boolean(g->cfg.monitor.class_carriers));
	json_object_object_add(doc, "newcomers", counters(g));
	mw_serve_json(r, 200, doc);
}

/* 1: it stood in what set --save has kept, and is taken out there; 0: it was in no file. */
static int unsave(const struct mw_guard *g, const char *target, struct mw_error *err)
{
	const struct mw_rule *rule;
	struct mw_config files;
	int r = mw_guard_load_config(g, &files, err);

	if (r < 0)
		return r;
	rule = mw_config_rule(&files, target);
	if (rule && rule->hand_file[0])
		r = mw_fail(err, -EEXIST,
			    "%s stands in %s, line %u: take it out there and reload; --save takes back only what "
			    "set --save has kept",
			    target, rule->hand_file, rule->hand_line);
	else if (rule)
		r = mw_config_unsave("", target, err);
	if (r >= 0)
		r = rule ? 1 : 0;
	mw_config_free(&files);
	return r;
}

int mw_serve_remove_rule(struct mw_guard *g, const char *target, bool save, struct mw_config *cfg, struct mw_error *err)
{
	int r = mw_config_remove(cfg, target, err), kept;
	struct mw_error other = {0};

	if (!save || (r < 0 && r != -ENOENT))
		return r;
	kept = unsave(g, target, &other);
	if (kept < 0)
		*err = other;
	return kept ? kept : r; /* gone before, but kept all the same: that is what goes now */
}

const char *mw_serve_removed_text(struct mw_guard *g, const char *target, bool save, char *text, size_t size)
{
	const char *name = strchr(target, ' ');
	const struct mw_worker *w;
	size_t stay = 0;
	int at;

	name = name ? name + strspn(name, " \t") : "";
	for (w = g->workers.by_name; w; w = w->by_name.next)
		stay += strcmp(w->rule, name) == 0;
	at = snprintf(text, size, "%.80s: taken away%s", target,
		      save ? ", and from what is kept for later" : " until reload or restart");
	if (stay)
		at += snprintf(text + at, size - (size_t)at, "; %zu worker%s it brought stay%s under guard", stay,
			       stay == 1 ? "" : "s", stay == 1 ? "s" : "");
	if (!g->newcomers.on)
		snprintf(text + at, size - (size_t)at, "; it was the last: nobody comes under guard by itself now");
	return text;
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
