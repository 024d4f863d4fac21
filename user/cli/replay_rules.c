/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A profile for a recording, checked as the daemon checks it. */
#include <errno.h>
#include <string.h>

#include "cli/replay.h"
#include "util/cleanup.h"

#define SETTINGS_MAX 32
#define STAND_IN     "replay" /* the class that the settings are made in */

struct search {
	const char *key;
	bool found;
};

static void compare(const char *key, const char *value, const char *about, void *arg)
{
	struct search *s = arg;

	(void)value;
	(void)about;
	s->found = s->found || strcmp(key, s->key) == 0;
}

static bool is_monitors(const char *key)
{
	struct search s = {key, false};
	struct mw_monitor m = {0};

	mw_config_rows_monitor(&m, compare, &s);
	return s.found;
}

/* KEY=VALUE,... in the copy given, which is cut up; the monitor's first in ret_kv. The number, or -EINVAL. */
static int split(char *text, struct mw_kv ret_kv[SETTINGS_MAX], size_t *ret_monitors, struct mw_error *err)
{
	struct mw_kv kv[SETTINGS_MAX], monitors[SETTINGS_MAX];
	size_t n = 0, m = 0;

	for (char *one = text, *next; one; one = next) {
		char *equals;

		next = strchr(one, ',');
		if (next)
			*next++ = '\0';
		equals = strchr(one, '=');
		if (!equals || equals == one)
			return mw_fail(err, -EINVAL, "--set: found \"%.60s\", expected KEY=VALUE,...", one);
		if (n + m == SETTINGS_MAX)
			return mw_fail(err, -E2BIG, "--set: more than %d settings", SETTINGS_MAX);
		*equals = '\0';
		if (is_monitors(one))
			monitors[m++] = (struct mw_kv){one, equals + 1};
		else
			kv[n++] = (struct mw_kv){one, equals + 1};
	}
	memcpy(ret_kv, monitors, m * sizeof(*kv));
	memcpy(ret_kv + m, kv, n * sizeof(*kv));
	*ret_monitors = m;
	return (int)(n + m);
}

/* The settings over rules, in a configuration of their own whose one class they make. */
static int apply_settings(const char *set, struct mw_replay_rules *rules, struct mw_error *err)
{
	_cleanup_(mw_config_free) struct mw_config cfg = {0};
	_cleanup_free_ char *text = strdup(set);
	struct mw_kv kv[SETTINGS_MAX];
	size_t monitors = 0;
	int n, rc = 0;

	if (!text || mw_config_defaults(&cfg) < 0)
		return mw_fail(err, -ENOMEM, "no memory");
	n = split(text, kv, &monitors, err);
	if (n < 0)
		return n;
	strcpy(cfg.classes[0].name, STAND_IN);
	cfg.classes[0].profile = rules->profile;
	cfg.monitor = rules->monitor;
	if (monitors)
		rc = mw_config_set(&cfg, "monitor", kv, monitors, err);
	if (rc >= 0 && (size_t)n > monitors)
		rc = mw_config_set(&cfg, "class " STAND_IN, kv + monitors, (size_t)n - monitors, err);
	if (rc < 0)
		return rc;
	rules->own_rhythm |= cfg.monitor.check_interval_ns != rules->monitor.check_interval_ns;
	rules->profile = mw_config_class(&cfg, STAND_IN)->profile;
	rules->monitor = cfg.monitor;
	return 0;
}

static int apply_class(const struct mw_other_rules *o, const char *worker, struct mw_replay_rules *rules,
		       struct mw_error *err)
{
	_cleanup_(mw_config_free) struct mw_config cfg = {0};
	int rc = o->config ? mw_config_load_file(o->config, &cfg, err) : mw_config_load("", NULL, &cfg, err);

	return rc < 0 ? rc : mw_config_worker_profile(&cfg, o->class_name, worker, &rules->profile, err);
}

int mw_other_apply(const struct mw_other_rules *o, const struct mw_record_worker *about, struct mw_replay_rules *rules,
		   struct mw_error *err)
{
	int rc = 0;

	if (o->method && strcmp(o->method, "windows") == 0)
		rules->monitor.method = MW_METHOD_WINDOWS;
	else if (o->method && strcmp(o->method, "regression") == 0)
		rules->monitor.method = MW_METHOD_REGRESSION;
	else if (o->method)
		return mw_fail(err, -EINVAL, "--method: found \"%.60s\", expected windows or regression", o->method);
	if (o->config && !o->class_name)
		return mw_fail(err, -EINVAL, "--config says where --class is; --class is missing");
	if (o->class_name)
		rc = apply_class(o, about->name, rules, err);
	if (rc >= 0 && o->set)
		rc = apply_settings(o->set, rules, err);
	return rc;
}
