/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a worker says of its own pools, limiters and requests: taken from one of its processes, kept until the next. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/serve.h"
#include "report/json.h"
#include "report/json_figures.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define LEVELS_MAX 8 /* a worker may have made cgroups of its own; libmemweir looks through as many */

/* The worker in whose cgroup, or below it, a process is. */
static struct mw_worker *worker_of(struct mw_guard *g, pid_t pid)
{
	char cgroup[PATH_MAX], path[PATH_MAX + 256];

	if (pid <= 0 || mw_proc_cgroup("/proc", pid, cgroup, sizeof(cgroup)) < 0)
		return NULL;
	for (int up = 0; up < LEVELS_MAX && strlen(cgroup) > 1; up++) {
		_cleanup_close_ int fd = -1;
		struct mw_worker *w;

		snprintf(path, sizeof(path), "%s%s", g->mount, cgroup);
		fd = mw_cgroup_open(path);
		w = fd < 0 ? NULL : mw_worker_by_id(&g->workers, mw_cgroup_id(fd));
		if (w)
			return w;
		*strrchr(cgroup, '/') = '\0';
	}
	return NULL;
}

/* Two processes of one worker would take turns: the first one's are kept as long as it lives and reports. */
static int may_report(const struct mw_worker *w, pid_t pid, __u64 now_ns, struct mw_error *err)
{
	const struct mw_reported *last = w->reported;

	if (!mw_figures_fresh(last, now_ns))
		return 0;
	if (last->pid != pid && (kill(last->pid, 0) == 0 || errno != ESRCH))
		return mw_fail(err, -EBUSY, "figures: process %d of worker %s reports them already", last->pid,
			       w->name);
	if (last->pid == pid && now_ns > last->time_ns && now_ns - last->time_ns < last->next_ms / 2 * MW_NS_PER_MS)
		return mw_fail(err, -EAGAIN, "figures: too early: once in %u ms", last->next_ms);
	return 0;
}

static int keep(struct mw_guard *g, struct mw_worker *w, pid_t pid, const struct mw_figures *figures, __u64 now_ns)
{
	if (!w->reported) {
		w->reported = calloc(1, sizeof(*w->reported));
		if (!w->reported)
			return -ENOMEM;
		g->workers.reporting++;
	}
	*w->reported = (struct mw_reported){
		.figures = *figures,
		.time_ns = now_ns,
		.next_ms = mw_figures_next_ms(g->workers.reporting),
		.pid = pid,
	};
	return 0;
}

static int take(struct mw_guard *g, struct mw_worker *w, pid_t pid, struct json_object *body, struct mw_error *err)
{
	__u64 now_ns = mw_now_ns();
	struct mw_figures figures;
	int r = mw_json_figures_read(body, &figures, err);

	if (r >= 0)
		r = keep(g, w, pid, &figures, now_ns);
	return r == -ENOMEM ? mw_fail(err, r, "figures: no memory") : r;
}

void mw_serve_figures_of(struct mw_guard *g, struct mw_request *r, struct mw_worker *w)
{
	pid_t pid = mw_request_peer(r).pid;
	struct json_object *body, *doc;
	struct mw_error err = {0};
	int rc;

	if (!mw_serve_may(g, r, MW_RIGHT_NEWS, "figures", w))
		return;
	rc = may_report(w, pid, mw_now_ns(), &err);
	if (rc < 0)
		return mw_serve_error(r, rc, err.text);
	body = mw_serve_body(r);
	if (!body)
		return;
	rc = take(g, w, pid, body, &err);
	json_object_put(body);
	if (rc < 0)
		return mw_serve_error(r, rc, err.text);
	doc = mw_json_document(mw_wall_ns());
	json_object_object_add(doc, "name", json_object_new_string(w->name));
	json_object_object_add(doc, "next_ms", json_object_new_uint64(w->reported->next_ms));
	mw_serve_json(r, 200, doc);
}

void mw_serve_figures(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	_cleanup_close_ int pidfd = mw_request_peer_pidfd(r);
	struct mw_worker *w = worker_of(g, mw_request_peer(r).pid);

	(void)rest;
	/* It lives, so its pid was nobody else's while its cgroup was looked at. */
	if (!w || pidfd < 0 || !mw_pidfd_lives(pidfd))
		return mw_serve_error(r, -ENOENT, "figures: the process that asks is in no worker under guard");
	mw_serve_figures_of(g, r, w);
}
