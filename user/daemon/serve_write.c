/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Requests that change something: start, attach, detach, settings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/pressure.h"
#include "daemon/serve.h"
#include "daemon/target.h"
#include "daemon/serve_tcp.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/table.h"

#define COMMAND_CHARS 120UL /* of a command line, as run cuts it */

void mw_serve_placed(struct mw_guard *g, struct mw_request *r, const struct mw_worker *w)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());
	char text[PATH_MAX];

	json_object_object_add(doc, "name", json_object_new_string(w->name));
	json_object_object_add(doc, "class", json_object_new_string(w->class_name));
	json_object_object_add(doc, "cgroup", json_object_new_string(w->cgroup));
	snprintf(text, sizeof(text), "%s%s", g->mount, w->cgroup);
	json_object_object_add(doc, "cgroup_path", json_object_new_string(text));
	json_object_object_add(doc, "cgroup_id", json_object_new_uint64(w->cgroup_id));
	json_object_object_add(doc, "thp_off",
			       json_object_new_boolean(mw_life_limited(w) && mw_profile_thp_off(&w->profile)));
	json_object_object_add(doc, "heap_sample", json_object_new_uint64(w->profile.heap_sample));
	json_object_object_add(doc, "runtime_profile", json_object_new_boolean(w->profile.runtime_profile));
	json_object_object_add(doc, "limited", json_object_new_boolean(mw_life_limited(w)));
	/* Then run need not tell of the start, nor of an end without a failure. */
	json_object_object_add(doc, "told_by_kernel",
			       json_object_new_boolean(mw_kernel_has(g->kernel, MW_CAP_WORKER_EVENTS) &&
						       mw_kernel_has(g->kernel, MW_CAP_RINGBUF)));
	snprintf(text, sizeof(text), "%s/memweir.sock", g->cfg.tree.run_dir);
	json_object_object_add(doc, "socket", json_object_new_string(text));
	if (w->pressure[0]) {
		snprintf(text, sizeof(text), "%s/" MW_PRESSURE_DIR "/%s", g->cfg.tree.run_dir, w->pressure);
		json_object_object_add(doc, "pressure_watch", json_object_new_string(text));
	}
	mw_serve_json(r, 201, doc);
}

/* The target somebody asks for, in one of four ways. */
static int target_of(struct json_object *how, struct mw_target *t, struct mw_error *err)
{
	static const struct {
		const char *key;
		enum mw_target_kind kind;
	} ways[] = {{"cgroup", MW_TARGET_CGROUP}, {"unit", MW_TARGET_UNIT}, {"container", MW_TARGET_CONTAINER}};
	struct json_object *pid, *move;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const char *what = mw_serve_string(how, ways[i].key);

		if (!what)
			continue;
		t->kind = ways[i].kind;
		t->what = strdup(what);
		return t->what ? 0 : mw_fail(err, -ENOMEM, "attach: no memory");
	}
	if (!json_object_object_get_ex(how, "pid", &pid) || !json_object_is_type(pid, json_type_int))
		return mw_fail(err, -EINVAL,
			       "\"attach\": expected \"pid\" (a number), \"cgroup\" (a path), \"unit\" or "
			       "\"container\" (a name)");
	t->kind = MW_TARGET_PID;
	t->pid = json_object_get_int(pid);
	t->move = json_object_object_get_ex(how, "move", &move) && json_object_get_boolean(move);
	return 0;
}

/* Answered when it has been found and taken. */
static int attach(struct mw_guard *g, struct mw_request *r, const struct mw_start *s, struct json_object *how,
		  struct mw_error *err)
{
	struct mw_target *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return mw_fail(err, -ENOMEM, "attach: no memory");
	t->dir_fd = -1;
	rc = target_of(how, t, err);
	if (rc >= 0)
		return mw_life_attach(
			g, &(struct mw_attach){.class_name = s->class_name, .name = s->name, .target = t, .request = r},
			err);
	mw_target_free(t);
	free(t);
	return rc;
}

#define SETTINGS_MAX 32 /* key = value pairs of one request */

/* "settings" of a body; none is fine. What kv points to is the body's. */
static int read_settings(struct json_object *body, struct mw_kv kv[SETTINGS_MAX], size_t *ret_n, struct mw_error *err)
{
	struct json_object *o;
	size_t n = 0;

	if (!json_object_object_get_ex(body, "settings", &o) || !o) {
		*ret_n = 0;
		return 0;
	}
	if (!json_object_is_type(o, json_type_object) || json_object_object_length(o) > SETTINGS_MAX)
		return mw_fail(err, -EINVAL, "\"settings\": expected an object of at most %d keys", SETTINGS_MAX);
	json_object_object_foreach (o, key, value) {
		const char *text = json_object_get_string(value);

		kv[n++] = (struct mw_kv){key, text ? text : ""};
	}
	*ret_n = n;
	return 0;
}

/* "self": the process that asks becomes the worker; else a place is made, where root's run starts it. */
static int start(struct mw_guard *g, struct mw_request *r, struct json_object *body, struct mw_worker **ret_w,
		 struct mw_error *err)
{
	const struct mw_peer peer = mw_request_peer(r);
	char command[4 * COMMAND_CHARS];
	struct mw_kv kv[SETTINGS_MAX];
	_cleanup_close_ int pidfd = -1;
	struct mw_start s = {
		.class_name = mw_serve_string(body, "class"),
		.name = mw_serve_string(body, "name"),
		.command = mw_serve_string(body, "command"),
		.runner = peer.pid,
		.uid = peer.uid,
		.settings = kv,
	};
	struct json_object *how, *self;
	int rc;

	if (!s.class_name)
		return mw_fail(err, -EINVAL, "\"class\": expected the name of a class");
	if (json_object_object_get_ex(body, "attach", &how))
		return attach(g, r, &s, how, err);
	if (!s.command || !s.command[0])
		return mw_fail(err, -EINVAL, "\"command\": expected the command to be started");
	s.command = mw_text_clean(s.command, COMMAND_CHARS, command, sizeof(command)); /* people read it */
	rc = read_settings(body, kv, &s.n_settings, err);
	if (rc < 0)
		return rc;
	if (!json_object_object_get_ex(body, "self", &self) || !json_object_get_boolean(self))
		return peer.uid ? mw_fail(err, -EPERM,
					  "only root may start processes in our cgroups: with \"self\" true the one "
					  "that asks is moved, as memweir run does it")
				: mw_life_start(g, &s, ret_w, err);
	pidfd = mw_request_peer_pidfd(r);
	if (pidfd < 0)
		return mw_fail(err, pidfd, "the process that asks %s%s",
			       pidfd == -ESRCH ? "has ended" : "cannot be held: ",
			       pidfd == -ESRCH ? "" : strerror(-pidfd));
	return mw_life_bring(g, &s, pidfd, ret_w, err);
}

void mw_serve_start(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *body = mw_serve_body(r), *how;
	struct mw_worker *w = NULL;
	struct mw_error err = {0};
	int rc;

	(void)rest;
	if (!body)
		return;
	if (json_object_object_get_ex(body, "attach", &how) && !mw_serve_may(g, r, MW_RIGHT_ATTACH, "attach", NULL)) {
		json_object_put(body);
		return;
	}
	rc = start(g, r, body, &w, &err);
	if (rc < 0)
		mw_serve_error(r, rc, err.text);
	else if (w) /* an attach is answered later */
		mw_serve_placed(g, r, w);
	json_object_put(body);
}

void mw_serve_detach(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct mw_worker *w = mw_worker_by_name(&g->workers, rest);
	struct mw_error err = {0};
	char text[128];
	int rc;

	if (!w)
		return mw_serve_unknown(r, rest);
	snprintf(text, sizeof(text), "worker %s is no longer guarded", w->name);
	if (!mw_serve_may(g, r, mw_request_query(r, "failed") ? MW_RIGHT_TAKE_BACK : MW_RIGHT_DETACH, "detach", w))
		return;
	if (w->uid && mw_request_query(r, "failed") && mw_cgroup_populated(w->dir_fd) == 1)
		return mw_serve_error(r, -EBUSY, "the worker has processes: it has started");
	if (mw_request_query(r, "failed")) { /* run could not start its command: nothing has been in there */
		mw_life_forget(g, w, true);
		return mw_serve_text(r, text);
	}
	rc = mw_life_detach(g, w, r, &err);
	if (rc < 0)
		return mw_serve_error(r, rc, err.text);
	if (rc == 0)
		mw_serve_text(r, text);
}

void mw_serve_life(struct mw_guard *g, struct mw_request *r, struct mw_worker *w, const char *what)
{
	bool started = strcmp(what, "started") == 0;
	struct json_object *body = mw_serve_body(r), *v;
	int value;

	if (!body)
		return;
	if (!mw_serve_may(g, r, MW_RIGHT_NEWS, what, w)) {
		json_object_put(body);
		return;
	}
	if (!json_object_object_get_ex(body, started ? "pid" : "status", &v) ||
	    !json_object_is_type(v, json_type_int)) {
		json_object_put(body);
		return mw_serve_error(r, -EINVAL,
				      started ? "\"pid\": expected a number" : "\"status\": expected a number");
	}
	value = json_object_get_int(v);
	json_object_put(body);
	/* A member's word is not enough for which process to take for its worker's. */
	if (started && w->uid && mw_cgroup_has_pid(w->dir_fd, value) != 1)
		return mw_serve_error(r, -EPERM, "started: this process is not in the worker's cgroup");
	if (started) {
		mw_life_started(g, w, value);
	} else {
		w->main_status = value;
		if (w->empty_since_ns)
			mw_life_end(g, w);
	}
	mw_serve_text(r, "noted");
}

/* What one request wants to be otherwise. */
struct change {
	const char *target;
	struct mw_kv kv[SETTINGS_MAX];
	size_t n;
	bool remove, save;
	bool tighten; /* as its owner would: only to less, on the worker alone, as long as it lives */
};

static int set(struct mw_guard *g, const struct change *c, struct mw_error *err)
{
	struct mw_config fresh, old = g->cfg;
	_cleanup_close_ int tcp_fd = -1;
	int r = mw_config_copy(&g->cfg, &fresh);

	if (r < 0)
		return mw_fail(err, r, "set %s: no memory", c->target);
	if (c->remove)
		r = mw_serve_remove_rule(g, c->target, c->save, &fresh, err);
	else
		r = mw_config_set(&fresh, c->target, c->kv, c->n, err);
	if (r >= 0)
		r = mw_serve_tcp_open(g, &fresh, &tcp_fd, err);
	if (r >= 0 && c->save && !c->remove)
		r = mw_config_save("", c->target, c->kv, c->n, err);
	if (r >= 0) {
		g->cfg = fresh;
		r = mw_place_classes(g, err);
		if (r < 0)
			g->cfg = old;
	}
	if (r < 0) {
		mw_config_free(&fresh);
		return r;
	}
	g->cfg = fresh;
	mw_config_free(&old);
	mw_serve_tcp_take(g, TAKE_FD(tcp_fd));
	mw_life_apply(g);
	mw_loop_rearm(g);
	return 0;
}

/* The live worker a target names; NULL: none. */
static struct mw_worker *target_worker(struct mw_guard *g, const char *target)
{
	return strncmp(target, "worker ", 7) == 0 ? mw_worker_by_name(&g->workers, target + 7) : NULL;
}

/* By root: into the configuration, over whatever its owner said of the same keys. By a member: on its worker alone. */
static int set_target(struct mw_guard *g, struct mw_request *r, const struct change *c, struct mw_error *err)
{
	struct mw_worker *w = target_worker(g, c->target);
	struct mw_tight before = w ? w->tight : (struct mw_tight){0};
	int rc;

	if (mw_serve_reader(r) || c->tighten) {
		rc = mw_serve_reader(r) ? mw_serve_room_to_set(g, err) : 0;
		return rc < 0 ? rc : mw_life_tighten(g, w, c->kv, c->n, err);
	}
	for (size_t i = 0; w && i < c->n; i++)
		mw_tight_drop(&w->tight, c->kv[i].key);
	rc = set(g, c, err);
	if (w && rc < 0)
		w->tight = before;
	else if (w && before.set != w->tight.set)
		mw_state_save(g, w);
	return rc;
}

/* False: it has been answered. */
static bool may_set(struct mw_guard *g, struct mw_request *r, const struct change *c)
{
	const struct mw_worker *w = target_worker(g, c->target);

	if (c->save || c->remove || strncmp(c->target, "worker ", 7) != 0)
		return mw_serve_may(g, r, MW_RIGHT_SET, c->save ? "set --save" : "set", NULL);
	if (!w && mw_serve_reader(r)) {
		mw_serve_unknown(r, c->target + 7);
		return false;
	}
	return mw_serve_may(g, r, MW_RIGHT_TIGHTEN, "set", w);
}

static int read_change(struct json_object *body, struct change *c, struct mw_error *err)
{
	struct json_object *v;
	int rc;

	c->target = mw_serve_string(body, "target") ?: "";
	c->save = json_object_object_get_ex(body, "save", &v) && json_object_get_boolean(v);
	c->remove = json_object_object_get_ex(body, "remove", &v) && json_object_get_boolean(v);
	c->tighten = json_object_object_get_ex(body, "tighten", &v) && json_object_get_boolean(v);
	rc = read_settings(body, c->kv, &c->n, err);
	if (rc < 0)
		return rc;
	if (c->remove && (!*c->target || c->n))
		return mw_fail(err, -EINVAL, "\"remove\": expected \"target\", and no \"settings\"");
	if (c->tighten && (c->save || c->remove || strncmp(c->target, "worker ", 7) != 0))
		return mw_fail(err, -EINVAL,
			       "\"tighten\": expected \"target\" \"worker NAME\", not \"save\" or \"remove\"");
	if (!c->remove && (!*c->target || c->n == 0))
		return mw_fail(err, -EINVAL, "expected \"target\" and \"settings\", an object of 1 to %d keys",
			       SETTINGS_MAX);
	return 0;
}

static void say_change(struct mw_guard *g, struct mw_request *r, const struct change *c)
{
	char text[320];

	if (c->remove)
		mw_serve_removed_text(g, c->target, c->save, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%.80s: %zu setting%s changed%s", c->target, c->n, c->n == 1 ? "" : "s",
			 c->save			    ? ", and kept for later"
			 : mw_serve_reader(r) || c->tighten ? ", as long as it lives"
							    : " until reload or restart");
	mw_say(g->tell, LOG_NOTICE, "set %s", text);
	mw_serve_text(r, text);
}

void mw_serve_set(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct json_object *body = mw_serve_body(r);
	struct mw_error err = {0};
	struct change c = {0};
	int rc;

	(void)rest;
	if (!body)
		return;
	rc = read_change(body, &c, &err);
	if (rc >= 0 && !may_set(g, r, &c)) {
		json_object_put(body);
		return;
	}
	if (rc >= 0)
		rc = set_target(g, r, &c, &err);
	if (rc < 0)
		mw_serve_error(r, rc, err.text);
	else
		say_change(g, r, &c);
	json_object_put(body);
}

void mw_serve_reload(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	struct mw_error err = {0};
	int rc = mw_guard_reload(g, &err);

	(void)rest;
	if (rc < 0)
		mw_serve_error(r, rc, err.text);
	else
		mw_serve_text(r, "configuration read again");
}
