/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Worker state for the next daemon: RUN_DIR/workers/NAME.json, on a tmpfs, so
 * it lives as long as the workers do: across our restarts, not across a boot.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/guard.h"
#include "util/cleanup.h"

#define STATE_MAX 8192 /* bytes of one file */

static void add_u64(struct json_object *o, const char *key, __u64 v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void add_text(struct json_object *o, const char *key, const char *v)
{
	json_object_object_add(o, key, json_object_new_string(v));
}

static void add_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

/* "before_max", "before_high", ... */
static const char *limit_key(const char *whose, enum mw_limit_kind what, char *buf, size_t size)
{
	static const char *const names[] = {[MW_LIMIT_MAX] = "max",
					    [MW_LIMIT_HIGH] = "high",
					    [MW_LIMIT_LOW] = "low",
					    [MW_LIMIT_SWAP_MAX] = "swap_max"};

	snprintf(buf, size, "%s_%s", whose, names[what]);
	return buf;
}

static void add_limits(struct json_object *o, const char *whose, const struct mw_limits *l)
{
	char key[32];

	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++)
		add_u64(o, limit_key(whose, i, key, sizeof(key)), mw_held_get(l, i));
}

/* The texts of a container that are kept. */
static const struct {
	const char *key;
	size_t at, size;
} container_texts[] = {
#define TEXT(field)                                                                                                    \
	{                                                                                                              \
		"container_" #field, offsetof(struct mw_container, field), sizeof(((struct mw_container *)0)->field)   \
	}
	TEXT(engine), TEXT(id), TEXT(name), TEXT(image), TEXT(pod), TEXT(namespace),
#undef TEXT
};

static void add_tight(struct json_object *o, const struct mw_tight *t)
{
	add_u64(o, "tight", t->set);
	add_u64(o, "tight_max_heap", t->max_heap);
	add_u64(o, "tight_max_bin_heap", t->max_bin_heap);
	add_u64(o, "tight_swap_max", t->swap_max);
	add_u64(o, "tight_low", t->low);
	add_u64(o, "tight_policy", t->policy);
	json_object_object_add(o, "tight_threshold", json_object_new_double(t->hibernate_threshold));
}

static struct json_object *state_json(const struct mw_worker *w)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	add_text(o, "class", w->class_name);
	add_text(o, "cgroup", w->cgroup);
	add_u64(o, "cgroup_id", w->cgroup_id);
	add_bool(o, "made", w->made);
	add_bool(o, "dry_run", w->dry_run);
	add_bool(o, "frozen_by_admin", w->frozen_by_admin);
	add_bool(o, "held", w->freeze.under_way);
	add_text(o, "class_from", mw_class_from_name(w->class_from));
	add_text(o, "rule", w->rule);
	add_u64(o, "main_pid", (__u64)w->main_pid);
	add_u64(o, "main_start_ticks", w->main_start);
	add_text(o, "command", w->command);
	add_text(o, "pressure", w->pressure);
	add_u64(o, "uid", w->uid);
	add_u64(o, "frozen_uid", w->frozen_uid);
	add_tight(o, &w->tight);
	add_u64(o, "started_wall_ns", w->started_wall_ns);
	add_u64(o, "started_ns", w->started_ns);
	add_u64(o, "oom_kills_at_start", w->oom_kills_at_start);
	add_u64(o, "lifts", w->lifts);
	add_bool(o, "before_known", w->before.known);
	add_limits(o, "before", &w->before.limits);
	add_bool(o, "held_known", w->held_known);
	add_limits(o, "held", &w->held);
	add_bool(o, "before_oom_group", w->before.limits.oom_group);
	add_text(o, "unit", w->unit ? w->unit->name : "");
	add_u64(o, "unit_dropins", w->unit ? w->unit->dropins : 0);
	for (size_t i = 0; w->container && i < ARRAY_SIZE(container_texts); i++)
		add_text(o, container_texts[i].key, (const char *)w->container + container_texts[i].at);
	return o;
}

void mw_state_save(struct mw_guard *g, const struct mw_worker *w)
{
	struct json_object *o = state_json(w);
	char tmp[MW_NAME_SIZE + 32], path[MW_NAME_SIZE + 32];
	const char *text;
	_cleanup_close_ int fd = -1;
	bool ok = false;

	if (!o)
		return;
	snprintf(tmp, sizeof(tmp), "workers/.%s.tmp", w->name);
	snprintf(path, sizeof(path), "workers/%s.json", w->name);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	fd = openat(g->run_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
		     renameat(g->run_fd, tmp, g->run_fd, path) == 0;
	if (!ok) {
		mw_say(g->tell, LOG_ERR, "worker %s: its state could not be kept for the next daemon: %s", w->name,
		       strerror(errno));
		unlinkat(g->run_fd, tmp, 0);
	}
	json_object_put(o);
}

void mw_state_remove(struct mw_guard *g, const char *name)
{
	char path[MW_NAME_SIZE + 32];

	snprintf(path, sizeof(path), "workers/%s.json", name);
	unlinkat(g->run_fd, path, 0);
}

static struct json_object *read_state(struct mw_guard *g, const char *name)
{
	char path[MW_NAME_SIZE + 32], buf[STATE_MAX];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "workers/%s.json", name);
	fd = openat(g->run_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return NULL;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	return json_tokener_parse(buf);
}

static __u64 get_u64(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_uint64(v) : 0;
}

static bool get_bool(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static const char *get_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : "";
}

static void get_limits(struct json_object *o, const char *whose, struct mw_limits *ret_limits)
{
	char key[32];

	for (enum mw_limit_kind i = 0; i < MW_LIMIT_KIND_MAX; i++)
		mw_held_set(ret_limits, i, get_u64(o, limit_key(whose, i, key, sizeof(key))));
}

static void load_unit(struct json_object *o, struct mw_worker *w)
{
	const char *name = get_text(o, "unit");

	w->unit = name[0] && !strchr(name, '/') ? calloc(1, sizeof(*w->unit)) : NULL;
	if (!w->unit)
		return;
	snprintf(w->unit->name, sizeof(w->unit->name), "%s", name);
	w->unit->dropins = (__u32)get_u64(o, "unit_dropins");
}

static void load_container(struct json_object *o, struct mw_worker *w)
{
	w->container = get_text(o, "container_engine")[0] ? calloc(1, sizeof(*w->container)) : NULL;
	for (size_t i = 0; w->container && i < ARRAY_SIZE(container_texts); i++)
		snprintf((char *)w->container + container_texts[i].at, container_texts[i].size, "%s",
			 get_text(o, container_texts[i].key));
}

static void get_tight(struct json_object *o, struct mw_tight *ret_tight)
{
	struct json_object *v;

	*ret_tight = (struct mw_tight){
		.set = (unsigned int)get_u64(o, "tight") & MW_TIGHT_ALL,
		.max_heap = get_u64(o, "tight_max_heap"),
		.max_bin_heap = get_u64(o, "tight_max_bin_heap"),
		.swap_max = get_u64(o, "tight_swap_max"),
		.low = get_u64(o, "tight_low"),
		.policy = get_u64(o, "tight_policy") < MW_POLICY_MAX ? (enum mw_policy)get_u64(o, "tight_policy")
								     : MW_POLICY_PROTECT,
	};
	if (json_object_object_get_ex(o, "tight_threshold", &v))
		ret_tight->hibernate_threshold = json_object_get_double(v);
}

int mw_state_load(struct mw_guard *g, struct mw_worker *w)
{
	struct json_object *o = read_state(g, w->name);

	if (!o)
		return -ENOENT;
	/* A name that is used again says nothing about another cgroup. */
	if (!json_object_is_type(o, json_type_object) || get_u64(o, "cgroup_id") != w->cgroup_id) {
		json_object_put(o);
		return -EINVAL;
	}
	w->made = get_bool(o, "made");
	w->dry_run = get_bool(o, "dry_run");
	w->frozen_by_admin = get_bool(o, "frozen_by_admin");
	w->freeze.under_way = get_bool(o, "held");
	if (mw_class_from_parse(get_text(o, "class_from"), &w->class_from) < 0)
		w->class_from = MW_FROM_COMMAND_LINE; /* of a daemon without rules */
	snprintf(w->rule, sizeof(w->rule), "%s", get_text(o, "rule"));
	w->main_pid = (pid_t)get_u64(o, "main_pid");
	w->main_start = get_u64(o, "main_start_ticks"); /* 0 in files of a daemon that did not know it */
	snprintf(w->command, sizeof(w->command), "%s", get_text(o, "command"));
	if (!strchr(get_text(o, "pressure"), '/'))
		snprintf(w->pressure, sizeof(w->pressure), "%s", get_text(o, "pressure"));
	w->uid = (uid_t)get_u64(o, "uid"); /* 0 in files of a daemon that served root alone */
	w->frozen_uid = (uid_t)get_u64(o, "frozen_uid");
	get_tight(o, &w->tight);
	w->started_wall_ns = get_u64(o, "started_wall_ns");
	w->started_ns = get_u64(o, "started_ns");
	w->oom_kills_at_start = get_u64(o, "oom_kills_at_start");
	w->lifts = get_u64(o, "lifts");
	w->before.known = get_bool(o, "before_known");
	w->held_known = get_bool(o, "held_known");
	get_limits(o, "before", &w->before.limits);
	get_limits(o, "held", &w->held);
	w->before.limits.oom_group = get_bool(o, "before_oom_group");
	load_unit(o, w);
	load_container(o, w);
	json_object_put(o);
	return 0;
}

static void each_one(struct mw_guard *g, const char *file, mw_state_fn fn, void *arg)
{
	char name[MW_NAME_SIZE];
	size_t n = strlen(file);
	struct json_object *o;

	if (n <= 5 || n - 5 >= sizeof(name) || strcmp(file + n - 5, ".json") != 0)
		return;
	memcpy(name, file, n - 5);
	name[n - 5] = '\0';
	o = mw_name_valid(name) ? read_state(g, name) : NULL;
	if (o && json_object_is_type(o, json_type_object))
		fn(name, get_text(o, "class"), get_text(o, "cgroup"), get_u64(o, "cgroup_id"), arg);
	json_object_put(o);
}

void mw_state_each(struct mw_guard *g, mw_state_fn fn, void *arg)
{
	int fd = openat(g->run_fd, "workers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		mw_close(&fd);
		return;
	}
	while ((e = readdir(d)))
		each_one(g, e->d_name, fn, arg);
}
