/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The control interface: a table of routes, each answering one document to who may have it (core/access.c). */
#include "daemon/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/kick.h"
#include "daemon/serve_tcp.h"
#include "daemon/recording.h"
#include "daemon/otlp.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

void mw_serve_json(struct mw_request *r, unsigned status, struct json_object *doc)
{
	struct mw_parts *parts = doc ? mw_json_parts(doc) : NULL;

	json_object_put(doc);
	if (!parts)
		mw_request_answer(r, 500, "application/json", "{}", 2);
	else
		mw_request_answer_parts(r, status, "application/json", parts);
}

static unsigned status_of(int code)
{
	switch (code) {
	case -EINVAL:
	case -ENAMETOOLONG:
	case -ERANGE:
		return 400;
	case -EACCES:
	case -EPERM:
		return 403;
	case -ENOENT:
	case -ESRCH:
	case -ENODEV:
		return 404;
	case -EEXIST:
	case -EBUSY:
		return 409;
	case -EOPNOTSUPP:
		return 405;
	case -EAGAIN:
	case -ENOSPC:
		return 503;
	default:
		return 500;
	}
}

void mw_serve_error(struct mw_request *r, int code, const char *text)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());

	if (doc)
		json_object_object_add(doc, "error", json_object_new_string(text && text[0] ? text : strerror(-code)));
	mw_serve_json(r, status_of(code), doc);
}

void mw_serve_unknown(struct mw_request *r, const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "no worker %.63s is under guard", name);
	mw_serve_error(r, -ENOENT, text);
}

void mw_serve_text(struct mw_request *r, const char *text)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());

	json_object_object_add(doc, "text", json_object_new_string(text));
	mw_serve_json(r, 200, doc);
}

struct json_object *mw_serve_body(struct mw_request *r)
{
	enum json_tokener_error e;
	struct json_object *o = json_tokener_parse_verbose(mw_request_body(r), &e);
	char text[128];

	if (o && json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	snprintf(text, sizeof(text), "request body: expected a JSON object (%s)",
		 e ? json_tokener_error_desc(e) : "found another type");
	mw_serve_error(r, -EINVAL, text);
	return NULL;
}

const char *mw_serve_string(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
		       ? json_object_get_string(v)
		       : NULL;
}

/* What each program has cost; its times only while kernel.bpf_stats_enabled is 1. */
static struct json_object *program_costs(struct mw_guard *g)
{
	struct json_object *list = json_object_new_array();
	struct mw_program_cost costs[32];
	int n = mw_kernel_costs(g->kernel, costs, ARRAY_SIZE(costs));

	for (int i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(costs[i].name));
		json_object_object_add(o, "runs", json_object_new_uint64(costs[i].runs));
		json_object_object_add(o, "run_ns", json_object_new_uint64(costs[i].run_ns));
		json_object_object_add(o, "skipped", json_object_new_uint64(costs[i].skipped));
		json_object_array_add(list, o);
	}
	return list;
}

static void get_health(struct mw_guard *g, struct mw_request *r, const char *name)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());
	const struct mw_log_counts log = mw_teller_counts(g->tell);
	struct mw_stats stats = {0};

	(void)name;
	mw_kernel_stats(g->kernel, &stats);
	json_object_object_add(doc, "status", json_object_new_string("ok"));
	json_object_object_add(doc, "version", json_object_new_string(MW_VERSION));
	json_object_object_add(doc, "dry_run", json_object_new_boolean(g->opts.dry_run));
	json_object_object_add(doc, "workers", json_object_new_int64(g->workers.count));
	json_object_object_add(doc, "events_seen", json_object_new_uint64(g->events_seen));
	json_object_object_add(doc, "events_lost", json_object_new_uint64(stats.events_lost));
	json_object_object_add(doc, "copies_lost", json_object_new_uint64(stats.copies_lost));
	json_object_object_add(doc, "bad_records", json_object_new_uint64(mw_kernel_bad_records(g->kernel)));
	json_object_object_add(doc, "breaker_lost", json_object_new_uint64(mw_breaker_lost(g->breaker)));
	json_object_object_add(doc, "actions_refused", json_object_new_uint64(mw_actions_refused(g->actions)));
	json_object_object_add(doc, "incident_failures", json_object_new_uint64(mw_incidents_failures(g->incidents)));
	json_object_object_add(doc, "recorder_lost", json_object_new_uint64(mw_recorder_lost(g->recorder)));
	json_object_object_add(doc, "recorder_bytes", json_object_new_uint64(mw_recorder_bytes(g->recorder)));
	json_object_object_add(doc, "metrics_refused", json_object_new_uint64(g->scrapes_refused));
	json_object_object_add(doc, "log_lines_lost", json_object_new_uint64(log.lost));
	json_object_object_add(doc, "log_lines_suppressed", json_object_new_uint64(log.suppressed));
	json_object_object_add(doc, "log_lines_without_fields", json_object_new_uint64(log.without_fields));
	json_object_object_add(doc, "bpf_map_bytes", json_object_new_uint64(mw_kernel_map_bytes(g->kernel)));
	json_object_object_add(doc, "http", mw_serve_tcp_json(g));
	json_object_object_add(doc, "otlp", mw_otlp_health(g));
	json_object_object_add(doc, "programs", program_costs(g));
	mw_serve_json(r, 200, doc);
}

static void get_recent(struct mw_guard *g, struct mw_request *r, const char *name)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());

	(void)name;
	json_object_object_add(doc, "events", mw_teller_recent(g->tell, mw_serve_reader(r)));
	mw_serve_json(r, 200, doc);
}

static void get_stream(struct mw_guard *g, struct mw_request *r, const char *name)
{
	(void)g, (void)name;
	mw_request_stream(r, MW_TOPIC_EVENTS);
}

static void get_live(struct mw_guard *g, struct mw_request *r, const char *name)
{
	(void)name;
	mw_request_stream(r, MW_TOPIC_LIVE);
	mw_live_join(g);
}

static void get_worker(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	char name[MW_NAME_SIZE];
	const char *slash = strchr(rest, '/');
	struct mw_worker *w;

	if (!slash)
		return mw_serve_ps(g, r, rest);
	snprintf(name, sizeof(name), "%.*s", (int)(slash - rest), rest);
	w = mw_worker_by_name(&g->workers, name);
	if (!w)
		return mw_serve_unknown(r, name);
	if (!mw_serve_may(g, r, MW_RIGHT_LOOK, slash + 1, w))
		return;
	if (strcmp(slash, "/level") == 0)
		mw_serve_level(g, r, w);
	else if (strcmp(slash, "/history") == 0)
		mw_serve_history(g, r, w);
	else
		mw_serve_error(r, -ENOENT, "no such document of a worker: expected level or history");
}

/* Whoever froze it is asked before it thaws: root's freeze is not its owner's to take back. */
static bool may_act(struct mw_guard *g, struct mw_request *r, struct mw_worker *w, enum mw_act act)
{
	uid_t uid = mw_serve_reader(r);
	struct mw_error err = {0};
	int rc;

	if (!mw_serve_may(g, r, MW_RIGHT_ACT, mw_act_name(act), w))
		return false;
	rc = w->busy ? 0 : mw_serve_room_to_act(g, uid, &err); /* busy: refused for that */
	if (rc < 0) {
		mw_serve_error(r, rc, err.text);
		return false;
	}
	if (uid && w->frozen_by_admin && w->frozen_uid != uid && (act == MW_ACT_THAW || act == MW_ACT_FREEZE)) {
		mw_serve_error(r, -EPERM, "root froze this worker: only root may thaw it");
		return false;
	}
	w->acted_by_user = w->busy ? w->acted_by_user : uid != 0;
	if (act == MW_ACT_FREEZE && !w->busy) /* busy: refused, and perhaps root's freeze is what it is busy with */
		w->frozen_uid = uid;
	return true;
}

static void post_act(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	char name[MW_NAME_SIZE];
	const char *slash = strchr(rest, '/');
	struct mw_error err = {0};
	struct json_object *body, *v;
	struct mw_worker *w;
	enum mw_act act;
	bool dry;
	int rc;

	snprintf(name, sizeof(name), "%.*s", (int)(slash ? slash - rest : 0), rest);
	w = mw_worker_by_name(&g->workers, name);
	if (!w || !slash)
		return mw_serve_unknown(r, name);
	if (strcmp(slash, "/started") == 0 || strcmp(slash, "/ended") == 0)
		return mw_serve_life(g, r, w, slash + 1);
	if (mw_act_parse(slash + 1, &act) < 0)
		return mw_serve_error(r, -ENOENT, "no such action: expected hibernate, freeze, thaw or kill");
	if (!may_act(g, r, w, act))
		return;
	body = mw_request_body(r)[0] ? mw_serve_body(r) : json_object_new_object();
	if (!body)
		return;
	dry = g->opts.dry_run || (json_object_object_get_ex(body, "dry_run", &v) && json_object_get_boolean(v));
	json_object_put(body);
	rc = mw_act_do(g, w, act,
		       act == MW_ACT_HIBERNATE ? MW_REASON_HIBERNATE
		       : act == MW_ACT_KILL    ? MW_REASON_ADMIN
					       : MW_REASON_FREEZE,
		       dry, r, &err);
	if (rc < 0)
		mw_serve_error(r, rc, err.text);
}

static const struct {
	const char *method, *path; /* a path that ends in / takes the rest as its argument; / alone is that */
	void (*fn)(struct mw_guard *g, struct mw_request *r, const char *rest);
	enum mw_right right; /* the least a caller must have; who touches one worker is asked again about that one */
	const char *what;
} routes[] = {
	{"GET", "/", mw_serve_page, MW_RIGHT_HEALTH, "page"},
	{"GET", "/page/", mw_serve_page, MW_RIGHT_HEALTH, "page"},
	{"GET", "/healthz", get_health, MW_RIGHT_HEALTH, "health"},
	{"GET", "/metrics", mw_serve_metrics, MW_RIGHT_LIST, "metrics"},
	{"GET", "/v1/workers", mw_serve_ps, MW_RIGHT_LIST, "ps"},
	{"GET", "/v1/workers/", get_worker, MW_RIGHT_LOOK, "ps"},
	{"POST", "/v1/workers", mw_serve_start, MW_RIGHT_RUN, "run"},
	{"DELETE", "/v1/workers/", mw_serve_detach, MW_RIGHT_TAKE_BACK, "detach"},
	{"PUT", "/v1/workers/self/figures", mw_serve_figures, MW_RIGHT_NEWS, "figures"},
	{"POST", "/v1/workers/", post_act, MW_RIGHT_NEWS, "act"},
	{"POST", "/v1/check", mw_serve_check, MW_RIGHT_LIST, "check"},
	{"GET", "/v1/report/leaks", mw_serve_leaks, MW_RIGHT_LIST, "report leaks"},
	{"GET", "/v1/report/pauses", mw_serve_pauses, MW_RIGHT_LIST, "report pauses"},
	{"GET", "/v1/report/incidents", mw_serve_incidents, MW_RIGHT_LIST, "report incidents"},
	{"GET", "/v1/report/rules", mw_serve_rules, MW_RIGHT_CONFIG, "report rules"},
	{"GET", "/v1/report/", mw_serve_one, MW_RIGHT_LOOK, "report"},
	{"GET", "/v1/events", get_stream, MW_RIGHT_LIST, "events"},
	{"GET", "/v1/events/recent", get_recent, MW_RIGHT_LIST, "events"},
	{"GET", "/v1/history", mw_serve_histories, MW_RIGHT_LIST, "history"},
	{"GET", "/v1/live", get_live, MW_RIGHT_LIST, "live"},
	{"GET", "/v1/samples", mw_serve_samples, MW_RIGHT_LIST, "record"},
	{"GET", "/v1/config", mw_serve_config, MW_RIGHT_CONFIG, "classes"},
	{"PATCH", "/v1/config", mw_serve_set, MW_RIGHT_TIGHTEN, "set"},
	{"POST", "/v1/reload", mw_serve_reload, MW_RIGHT_RELOAD, "reload"},
	{"POST", "/v1/newcomers", mw_serve_newcomer, MW_RIGHT_ATTACH, "hook"},
};

static void route(struct mw_guard *g, struct mw_request *r)
{
	const char *path = mw_request_path(r), *method = mw_request_method(r);
	bool path_known = false, head = strcmp(method, "HEAD") == 0; /* GET, of which the server sends no body */

	/* Before anything else: a stranger is not even told what there is. */
	if (!mw_serve_may(g, r, MW_RIGHT_HEALTH, "memweir", NULL))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		size_t n = strlen(routes[i].path);
		bool prefix = n > 1 && routes[i].path[n - 1] == '/';

		if (prefix ? strncmp(path, routes[i].path, n) != 0 || !path[n] : strcmp(path, routes[i].path) != 0)
			continue;
		path_known = true;
		if (strcmp(head ? "GET" : method, routes[i].method) != 0)
			continue;
		if (mw_serve_may(g, r, routes[i].right, routes[i].what, NULL))
			routes[i].fn(g, r, path + n);
		return;
	}
	if (path_known)
		mw_serve_error(r, -EOPNOTSUPP, "this path does not take this method");
	else
		mw_serve_error(r, -ENOENT, "no such path; see memweir(8), HTTP INTERFACE");
}

void mw_serve_request(struct mw_request *r, void *guard)
{
	struct mw_guard *g = guard;

	mw_kick_off(); /* what we do for a request may sleep */
	route(g, r);
	mw_kick_on();
	mw_keeper_beat(g->keeper, mw_now_ns()); /* ends what mw_keeper_busy granted for this request */
}
