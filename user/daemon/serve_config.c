/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The configuration in force, as a document. */
#include <string.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "util/clock.h"

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
	struct json_object *monitor = json_object_new_object(), *tree = json_object_new_object(),
			   *http = json_object_new_object();

	(void)rest;
	for (size_t i = 0; i < g->cfg.n_classes; i++)
		json_object_array_add(classes, class_object(&g->cfg, &g->cfg.classes[i]));
	mw_config_rows_monitor(&g->cfg.monitor, add_row, monitor);
	mw_config_rows_tree(&g->cfg.tree, add_row, tree);
	mw_config_rows_http(&g->cfg.http, add_row, http);
	json_object_object_add(doc, "classes", classes);
	json_object_object_add(doc, "monitor", monitor);
	json_object_object_add(doc, "tree", tree);
	json_object_object_add(doc, "http", http);
	mw_serve_json(r, 200, doc);
}
