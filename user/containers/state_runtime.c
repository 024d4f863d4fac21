/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The state files of OCI runtimes: who is the first process, and in which cgroup. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "util/json_in.h"
#include "containers/state.h"
#include "core/cgroup.h"
#include "util/cleanup.h"

#define CGROUP_FS "/sys/fs/cgroup"

static int take_process(struct json_object *obj, const char *pid_key, const char *start_key, struct mw_found *f,
			struct mw_error *err)
{
	__u64 pid, start;

	if (!mw_json_member_u64(obj, pid_key, INT_MAX, &pid) || !pid)
		return mw_fail(err, -EBADMSG, "%s: expected the number of a process", pid_key);
	if (!mw_json_member_u64(obj, start_key, ~0ULL, &start) || !start)
		return mw_fail(err, -EBADMSG, "%s: expected ticks since boot", start_key);
	f->c.pid = (pid_t)pid;
	f->c.pid_start = start;
	return 0;
}

static int take_cgroup(const char *key, const char *path, struct mw_found *f, struct mw_error *err)
{
	if (!mw_cgroup_path_valid(path))
		return mw_fail(err, -EBADMSG, "%s: expected a path below the cgroup root", key);
	memcpy(f->c.cgroup, path, strlen(path) + 1);
	return 0;
}

/* "KEY=VALUE", as runc keeps annotations; its own word for the bundle is none. */
static int take_pairs(struct json_object *list, struct mw_container *c)
{
	size_t n = list ? json_object_array_length(list) : 0;
	int r = 0;

	for (size_t i = 0; !r && i < n; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *text, *equals;
		size_t length;

		if (!json_object_is_type(item, json_type_string))
			continue;
		text = json_object_get_string(item);
		length = (size_t)json_object_get_string_len(item);
		equals = memchr(text, '=', length);
		if (!equals || !strncmp(text, "bundle=", 7))
			continue;
		r = mw_container_add_label(c, MW_LABEL_ANNOTATION, text, (size_t)(equals - text), equals + 1,
					   length - (size_t)(equals + 1 - text));
	}
	return r;
}

int mw_state_runc(const char *text, size_t n, struct mw_found *f, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct json_object *config, *paths;
	char path[MW_CONTAINER_CGROUP + sizeof(CGROUP_FS "/unified")];
	const char *below = path;
	int r = mw_json_parse(text, n, &obj, err);

	if (r < 0)
		return r;
	config = mw_json_member(obj, "config", json_type_object);
	r = take_pairs(mw_json_member(config, "labels", json_type_array), &f->c);
	if (r < 0)
		return r;
	paths = mw_json_member(obj, "cgroup_paths", json_type_object);
	if (!mw_json_member_text(paths, "", path, sizeof(path)))
		return mw_fail(err, -EBADMSG, "cgroup_paths: expected a cgroup v2 path (the engine uses v1?)");
	if (!mw_cgroup_path_holds(CGROUP_FS, path))
		return mw_fail(err, -EBADMSG, "cgroup_paths: expected a path below " CGROUP_FS);
	below += mw_cgroup_path_holds(CGROUP_FS "/unified", path) ? strlen(CGROUP_FS "/unified") : strlen(CGROUP_FS);
	r = take_cgroup("cgroup_paths", below, f, err);
	return r ? r : take_process(obj, "init_process_pid", "init_process_start", f, err);
}

int mw_state_crun(const char *text, size_t n, struct mw_found *f, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	char path[MW_CONTAINER_CGROUP + 1] = "/";
	int r = mw_json_parse(text, n, &obj, err);

	if (r < 0)
		return r;
	if (!mw_json_member_text(obj, "cgroup-path", path + 1, sizeof(path) - 1))
		return mw_fail(err, -EBADMSG, "cgroup-path: expected a path");
	/* Empty where it was not let make one, or was asked not to. Older ones wrote it without the leading slash. */
	f->bare = !path[1];
	if (!f->bare)
		r = take_cgroup("cgroup-path", path[1] == '/' ? path + 1 : path, f, err);
	return r ? r : take_process(obj, "pid", "process-start-time", f, err);
}

int mw_state_oci(const char *text, size_t n, struct mw_found *f, struct mw_error *err)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct json_object *annotations;
	int r = mw_json_parse(text, n, &obj, err);

	if (r < 0)
		return r;
	annotations = mw_json_member(obj, "annotations", json_type_object);
	if (!annotations)
		return 0;
	json_object_object_foreach (annotations, key, value) {
		if (!json_object_is_type(value, json_type_string))
			continue;
		r = mw_container_add_label(&f->c, MW_LABEL_ANNOTATION, key, strlen(key), json_object_get_string(value),
					   (size_t)json_object_get_string_len(value));
		if (r < 0)
			return r;
	}
	return 0;
}
