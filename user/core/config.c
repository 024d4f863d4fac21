/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The configuration as a value: copied, freed, changed as a whole, shown. */
#include "core/config_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

void mw_config_free(struct mw_config *cfg)
{
	if (!cfg)
		return;
	free(cfg->classes);
	free(cfg->worker_settings);
	free(cfg->rules);
	*cfg = (struct mw_config){0};
}

int mw_config_copy(const struct mw_config *from, struct mw_config *ret_cfg)
{
	_cleanup_(mw_config_free) struct mw_config cfg = *from;
	size_t room = mw_settings_room(from->n_worker_settings);

	cfg.classes = NULL;
	cfg.worker_settings = NULL;
	cfg.rules = NULL;
	if (from->n_classes) {
		cfg.classes = reallocarray(NULL, from->n_classes, sizeof(*cfg.classes));
		if (!cfg.classes)
			return -ENOMEM;
		memcpy(cfg.classes, from->classes, from->n_classes * sizeof(*cfg.classes));
	}
	if (room) {
		cfg.worker_settings = calloc(room, sizeof(*cfg.worker_settings));
		if (!cfg.worker_settings)
			return -ENOMEM;
		memcpy(cfg.worker_settings, from->worker_settings,
		       from->n_worker_settings * sizeof(*cfg.worker_settings));
	}
	if (from->n_rules) {
		cfg.rules = reallocarray(NULL, from->n_rules, sizeof(*cfg.rules));
		if (!cfg.rules)
			return -ENOMEM;
		memcpy(cfg.rules, from->rules, from->n_rules * sizeof(*cfg.rules));
	}
	*ret_cfg = cfg;
	cfg = (struct mw_config){0};
	return 0;
}

/* Keys read at start only: changing them now would promise what does not happen. */
static int check_restart(const struct mw_config *cfg, const struct mw_section *section, const char *key_name,
			 const char *value, struct mw_error *err)
{
	const struct mw_key *key = mw_key_find(section->kind, key_name);
	bool fresh = section->kind == MW_SECTION_CLASS && !mw_config_class(cfg, section->name);

	if (!key || !(key->flags & MW_KEY_RESTART) || fresh)
		return 0;
	return mw_config_say(err, -EPERM, &(struct mw_where){0}, section, key_name, value,
			     "a change in the configuration file and a restart: this key is read at start only");
}

int mw_config_set(struct mw_config *cfg, const char *target, const struct mw_kv *kv, size_t n, struct mw_error *err)
{
	_cleanup_(mw_config_free) struct mw_config next = {0};
	const struct mw_where at = {0};
	struct mw_section section;
	struct mw_config old;
	int r;

	r = mw_section_parse(target, &at, &section, err);
	if (r < 0)
		return r;
	if (mw_config_copy(cfg, &next) < 0)
		return mw_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		r = check_restart(cfg, &section, kv[i].key, kv[i].value, err);
		if (r < 0)
			return r;
		r = mw_config_apply(&next, &at, &section, kv[i].key, kv[i].value, err);
		if (r < 0)
			return r;
	}
	r = mw_config_check(&next, err);
	if (r < 0)
		return r;
	old = *cfg;
	*cfg = next;
	next = old; /* freed on the way out */
	return 0;
}

static void walk_rows(enum mw_section_kind kind, const void *base, mw_config_row_fn fn, void *arg)
{
	size_t n;
	const struct mw_key *keys = mw_keys(kind, &n);
	char value[512];

	for (size_t i = 0; i < n; i++)
		fn(keys[i].name, mw_key_print(&keys[i], base, value, sizeof(value)), keys[i].doc, arg);
}

void mw_config_rows_profile(const struct mw_profile *p, mw_config_row_fn fn, void *arg)
{
	walk_rows(MW_SECTION_CLASS, p, fn, arg);
}

void mw_config_rows_monitor(const struct mw_monitor *m, mw_config_row_fn fn, void *arg)
{
	walk_rows(MW_SECTION_MONITOR, m, fn, arg);
}

void mw_config_rows_tree(const struct mw_tree *t, mw_config_row_fn fn, void *arg)
{
	walk_rows(MW_SECTION_TREE, t, fn, arg);
}

void mw_config_rows_http(const struct mw_http *h, mw_config_row_fn fn, void *arg)
{
	walk_rows(MW_SECTION_HTTP, h, fn, arg);
}

void mw_config_rows_otlp(const struct mw_otlp_settings *o, mw_config_row_fn fn, void *arg)
{
	walk_rows(MW_SECTION_OTLP, o, fn, arg);
}

void mw_config_rows_rule(const struct mw_rule *r, mw_config_row_fn fn, void *arg)
{
	walk_rows(MW_SECTION_RULE, r, fn, arg);
}
