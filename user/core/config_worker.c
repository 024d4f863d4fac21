/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Settings of single workers: kept as text, laid over the class's profile when a worker comes. */
#include "core/config_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_STEP 64

size_t mw_settings_room(size_t n)
{
	return (n + ROOM_STEP - 1) / ROOM_STEP * ROOM_STEP;
}

static int compare(const struct mw_setting *s, const char *worker, const char *key)
{
	int r = strcmp(s->worker, worker);

	return r ? r : strcmp(s->key, key);
}

/* Where the setting is or would be. key "": where the worker's settings begin. */
static size_t position(const struct mw_config *cfg, const char *worker, const char *key)
{
	size_t low = 0, high = cfg->n_worker_settings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&cfg->worker_settings[middle], worker, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void remove_at(struct mw_config *cfg, size_t i)
{
	struct mw_setting *s = &cfg->worker_settings[i];

	cfg->n_worker_settings--;
	memmove(s, s + 1, (cfg->n_worker_settings - i) * sizeof(*s));
}

/* A blank setting at i. */
static int insert_at(struct mw_config *cfg, size_t i)
{
	size_t n = cfg->n_worker_settings;
	struct mw_setting *s = cfg->worker_settings;

	if (mw_settings_room(n) == n) {
		s = reallocarray(s, n + ROOM_STEP, sizeof(*s));
		if (!s)
			return -ENOMEM;
		cfg->worker_settings = s;
	}
	memmove(&s[i + 1], &s[i], (n - i) * sizeof(*s));
	s[i] = (struct mw_setting){0};
	cfg->n_worker_settings++;
	return 0;
}

int mw_setting_apply(struct mw_config *cfg, const struct mw_where *at, const struct mw_section *section,
		     const struct mw_key *key, const char *value, struct mw_error *err)
{
	size_t i = position(cfg, section->name, key->name);
	bool there = i < cfg->n_worker_settings && !compare(&cfg->worker_settings[i], section->name, key->name);
	struct mw_setting *s;

	if (mw_key_check(key, value) < 0 || strlen(value) >= sizeof(s->value))
		return mw_say_wrong_value(err, at, section, key, value);
	if (mw_is_default(key, value)) {
		if (there)
			remove_at(cfg, i);
		return 0;
	}
	if (!there && cfg->n_worker_settings == MW_CONFIG_SETTINGS_MAX)
		return mw_config_say(err, -E2BIG, at, section, key->name, value, "at most %d settings of workers",
				     MW_CONFIG_SETTINGS_MAX);
	if (!there && insert_at(cfg, i) < 0)
		return mw_fail(err, -ENOMEM, "out of memory");
	s = &cfg->worker_settings[i];
	*s = (struct mw_setting){0};
	snprintf(s->worker, sizeof(s->worker), "%s", section->name);
	snprintf(s->key, sizeof(s->key), "%s", key->name);
	snprintf(s->value, sizeof(s->value), "%s", value);
	return 0;
}

int mw_config_worker_profile(const struct mw_config *cfg, const char *class_name, const char *worker,
			     struct mw_profile *ret_profile, struct mw_error *err)
{
	struct mw_section section = {.kind = MW_SECTION_WORKER};
	const struct mw_class *cls = mw_config_class(cfg, class_name);
	struct mw_profile p;
	int r;

	if (!cls)
		return mw_say_unknown_class(err, cfg, class_name);
	p = cls->profile;
	for (size_t i = position(cfg, worker, ""); i < cfg->n_worker_settings; i++) {
		const struct mw_setting *s = &cfg->worker_settings[i];
		const struct mw_key *key = mw_key_find(MW_SECTION_WORKER, s->key);

		if (strcmp(s->worker, worker) != 0)
			break;
		if (key)
			(void)mw_profile_apply(&p, class_name, key, s->value); /* checked when it was taken in */
	}
	snprintf(section.name, sizeof(section.name), "%s", worker);
	r = mw_profile_check(&p, &section, err);
	if (r < 0)
		return r;
	*ret_profile = p;
	return 0;
}
