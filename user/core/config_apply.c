/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One setting into the configuration. */
#include "core/config_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/class_builtin.h"
#include "util/cleanup.h"

static void apply_defaults(enum mw_section_kind kind, void *base)
{
	size_t n;
	const struct mw_key *keys = mw_keys(kind, &n);

	for (size_t i = 0; i < n; i++)
		(void)mw_key_parse(&keys[i], keys[i].def, base); /* a unit test parses them all */
}

/* A number stands where auto was said. */
static void settle_bin(struct mw_profile *p)
{
	if (p->max_bin_heap == MW_AUTO)
		p->bin_follows = true;
	if (p->bin_follows)
		p->max_bin_heap = mw_profile_bin_auto(p->max_heap);
}

/* Of a class of one's own: generic's, but max_heap is 0, "not given yet". */
void mw_profile_default(const char *class_name, struct mw_profile *ret_profile)
{
	const struct mw_class_builtin *builtin;
	struct mw_profile p = {0};

	apply_defaults(MW_SECTION_CLASS, &p);
	p.max_heap = 0;
	builtin = mw_class_builtin(class_name);
	if (builtin) {
		p.max_heap = builtin->max_heap;
		p.hibernate_threshold = builtin->hibernate_threshold;
	}
	settle_bin(&p);
	*ret_profile = p;
}

static struct mw_class *find_class(const struct mw_config *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->n_classes; i++)
		if (strcmp(cfg->classes[i].name, name) == 0)
			return &cfg->classes[i];
	return NULL;
}

const struct mw_class *mw_config_class(const struct mw_config *cfg, const char *name)
{
	return find_class(cfg, name);
}

static int add_class(struct mw_config *cfg, const char *name, bool builtin, struct mw_error *err)
{
	struct mw_class *grown, *cls;

	if (cfg->n_classes == MW_CONFIG_CLASSES_MAX)
		return mw_fail(err, -E2BIG, "[class %s]: more than %d classes", name, MW_CONFIG_CLASSES_MAX);
	grown = reallocarray(cfg->classes, cfg->n_classes + 1, sizeof(*grown));
	if (!grown)
		return mw_fail(err, -ENOMEM, "out of memory");
	cfg->classes = grown;
	cls = &grown[cfg->n_classes++];
	*cls = (struct mw_class){.builtin = builtin};
	snprintf(cls->name, sizeof(cls->name), "%s", name);
	mw_profile_default(name, &cls->profile);
	return 0;
}

int mw_config_defaults(struct mw_config *ret_cfg)
{
	_cleanup_(mw_config_free) struct mw_config cfg = {0};
	int r;

	apply_defaults(MW_SECTION_MONITOR, &cfg.monitor);
	apply_defaults(MW_SECTION_TREE, &cfg.tree);
	apply_defaults(MW_SECTION_HTTP, &cfg.http);
	apply_defaults(MW_SECTION_OTLP, &cfg.otlp);
	for (const struct mw_class_builtin *b = mw_class_builtins; b->name; b++) {
		r = add_class(&cfg, b->name, true, NULL);
		if (r < 0)
			return r;
	}
	*ret_cfg = cfg;
	cfg = (struct mw_config){0};
	return 0;
}

/* Take value, "default" included, and keep max_bin_heap right. */
int mw_profile_apply(struct mw_profile *p, const char *class_name, const struct mw_key *key, const char *value)
{
	bool is_bin = key->offset == offsetof(struct mw_profile, max_bin_heap);
	struct mw_profile def;
	int r = 0;

	if (mw_is_default(key, value)) {
		mw_profile_default(class_name, &def);
		memcpy((char *)p + key->offset, (char *)&def + key->offset, key->size);
		if (is_bin)
			p->max_bin_heap = MW_AUTO;
	} else {
		r = mw_key_parse(key, value, p);
	}
	if (r < 0)
		return r;
	if (is_bin)
		p->bin_follows = false;
	settle_bin(p);
	return 0;
}

static int apply_class(struct mw_config *cfg, const struct mw_where *at, const struct mw_section *section,
		       const struct mw_key *key, const char *value, struct mw_error *err)
{
	struct mw_class *cls = find_class(cfg, section->name);

	if (!cls) {
		int r = add_class(cfg, section->name, false, err);

		if (r < 0)
			return r;
		cls = find_class(cfg, section->name);
	}
	if (key && mw_profile_apply(&cls->profile, cls->name, key, value) < 0)
		return mw_say_wrong_value(err, at, section, key, value);
	return 0;
}

int mw_config_apply(void *arg, const struct mw_where *at, const struct mw_section *section, const char *key_name,
		    const char *value, struct mw_error *err)
{
	struct mw_config *cfg = arg;
	const struct mw_key *key = key_name ? mw_key_find(section->kind, key_name) : NULL;
	void *const bases[MW_SECTION_MAX] = {
		[MW_SECTION_MONITOR] = &cfg->monitor,
		[MW_SECTION_TREE] = &cfg->tree,
		[MW_SECTION_HTTP] = &cfg->http,
		[MW_SECTION_OTLP] = &cfg->otlp,
	};

	if (key_name && !key)
		return mw_say_unknown_key(err, at, section, key_name);
	if (section->kind == MW_SECTION_CLASS)
		return apply_class(cfg, at, section, key, value, err);
	if (section->kind == MW_SECTION_RULE)
		return mw_rule_apply(cfg, at, section, key, value, err);
	if (!key)
		return 0;
	if (section->kind == MW_SECTION_WORKER)
		return mw_setting_apply(cfg, at, section, key, value, err);
	if (mw_key_parse(key, mw_is_default(key, value) ? key->def : value, bases[section->kind]) < 0)
		return mw_say_wrong_value(err, at, section, key, value);
	return 0;
}
