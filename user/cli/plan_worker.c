/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* plan --worker: what it is charged for and how many connections it has, now. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/plan.h"
#include "core/cgroup.h"
#include "core/connections.h"
#include "util/amount.h"
#include "util/cleanup.h"

#define PIDS_MOST 4096

/* The worker's cgroup as the daemon knows it, not another one that has its name since. -errno. */
static int open_cgroup(struct json_object *w)
{
	char mount[PATH_MAX / 2], path[PATH_MAX];
	_cleanup_close_ int fd = -1;
	__u64 id = 0;
	int r;

	r = mw_cgroup_mount("", mount, sizeof(mount));
	if (r < 0)
		return r;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", mount, mw_field_str(w, "cgroup")) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mw_cgroup_open(path);
	if (fd < 0)
		return fd;
	if (mw_field_u64(w, "cgroup_id", &id) && id && id != mw_cgroup_id(fd))
		return -ESTALE;
	return TAKE_FD(fd);
}

/* What belongs to connections: not the page cache, which goes when memory is wanted. */
static void charged(int cgroup, struct json_object *w, struct plan_worker *p)
{
	char stat[16384];
	__u64 anon, kernel = 0, sock = 0;

	if (cgroup >= 0 && mw_cgroup_read(cgroup, "memory.stat", stat, sizeof(stat)) > 0 &&
	    mw_keyed_u64(stat, "anon", &anon) == 0) {
		mw_keyed_u64(stat, "kernel", &kernel); /* since Linux 5.18 */
		mw_keyed_u64(stat, "sock", &sock);
		p->seen.memory_bytes = anon + kernel;
		p->seen.socket_bytes = sock;
		return;
	}
	p->whole = true;
	mw_field_u64(w, "usage_bytes", (__u64 *)&p->seen.memory_bytes);
}

static int count(const struct mw_cli *cli, int cgroup, struct json_object *w, __u64 *ret_connections)
{
	struct mw_connections c;
	pid_t pids[PIDS_MOST];
	ssize_t n = cgroup >= 0 ? mw_cgroup_pids(cgroup, true, pids, PIDS_MOST) : 0;
	__u64 main_pid;
	int r;

	if (n <= 0 && mw_field_u64(w, "main_pid", &main_pid) && main_pid <= INT_MAX) {
		pids[0] = (pid_t)main_pid;
		n = 1;
	}
	n = n > PIDS_MOST ? PIDS_MOST : n;
	r = n > 0 ? mw_connections_count("/proc", pids, (size_t)n, &c) : -ESRCH;
	if (r < 0) {
		mw_say_error(cli, "cannot count its connections: %s (--has says how many there are)", strerror(-r));
		return r;
	}
	*ret_connections = c.accepted;
	return 0;
}

int mw_plan_worker(const struct mw_cli *cli, const char *name, __u64 connections, struct plan_worker *ret_worker)
{
	struct plan_worker p = {.seen = {.size = sizeof(p.seen), .connections = connections}};
	_cleanup_free_ char *path = mw_call_path("/v1/workers", name, NULL);
	_cleanup_answer_ struct mw_answer a = {0};
	_cleanup_close_ int cgroup = -1;
	struct json_object *workers, *w;

	if (!path) {
		mw_say_error(cli, "no memory");
		return MW_EXIT_FAILURE;
	}
	if (mw_call(cli, "GET", path, NULL, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	workers = mw_field_array(a.doc, "workers");
	w = mw_field_length(workers) ? json_object_array_get_idx(workers, 0) : NULL;
	if (!w) {
		mw_say_error(cli, "the daemon's answer has no worker %s", name);
		return MW_EXIT_FAILURE;
	}
	cgroup = open_cgroup(w);
	charged(cgroup, w, &p);
	if (!mw_field_u64(w, "max_bytes", &p.limit))
		p.limit = MW_UNLIMITED;
	if (!connections && count(cli, cgroup, w, (__u64 *)&p.seen.connections) < 0)
		return MW_EXIT_FAILURE;
	*ret_worker = p;
	return MW_EXIT_OK;
}
