/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A worker's sites outlive the processes that made them: compilers a shell starts, requests that are forked for. What
 * those have mapped is read while they live, in an action thread, as often as samples are taken: of workers that
 * grow, and of so many processes at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "daemon/guard.h"
#include "symbols/remember.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define WORKERS	  8 /* in one pass; with more, each in its turn */
#define PROCESSES 256 /* of a worker: the youngest */
#define READS	  48 /* in one pass; some 0.3 ms each */
#define ASKS	  4 /* of those: with files that are new, for which a program is started */
#define SITES	  32
#define PASS_NS	  (30 * MW_NS_PER_S)

struct pass {
	struct mw_remembered *remembered;
	struct mw_kernel *kernel;
	size_t n;
	struct {
		__u64 id;
		int fd; /* owned */
	} of[WORKERS];
	unsigned reads, asks;
};

static void free_pass(struct pass *p)
{
	for (size_t i = 0; i < p->n; i++)
		mw_close(&p->of[i].fd);
	free(p);
}

/* false: it is enough for one pass. */
static bool remember(struct pass *p, pid_t pid)
{
	int r = mw_remember(p->remembered, pid, mw_now_ns());

	p->reads += r > 0;
	p->asks += r == 2;
	return p->reads < READS && p->asks < ASKS;
}

/* Whoever has the pid now may be another worker's. */
static bool is_there(const struct mw_site *s)
{
	__u64 ticks;

	return s->pid && mw_proc_start_ticks("/proc", (pid_t)s->pid, &ticks) == 0 &&
	       (!s->started || mw_proc_same_start(ticks, s->started));
}

/* First whoever was charged where much is, then all, and the youngest of them. */
static void remember_worker(struct pass *p, __u64 id, int fd)
{
	_cleanup_free_ struct mw_site_row *rows = calloc(SITES, sizeof(*rows));
	_cleanup_free_ pid_t *pids = calloc(PROCESSES, sizeof(*pids));
	ssize_t found = pids ? mw_cgroup_pids(fd, true, pids, PROCESSES) : 0;
	/* It walks the sites of all workers: only where not everybody can be looked at. */
	int n = rows && found > READS ? mw_kernel_sites_read(p->kernel, id, rows, SITES) : 0;

	for (int i = 0; i < n; i++) {
		if (is_there(&rows[i].site) && !remember(p, (pid_t)rows[i].site.pid))
			return;
	}
	for (ssize_t i = found < PROCESSES ? found : PROCESSES; i-- > 0;) {
		if (!remember(p, pids[i]))
			return;
	}
}

static int do_pass(void *arg, char *text, size_t size)
{
	struct pass *p = arg;

	(void)text, (void)size;
	for (size_t i = 0; i < p->n && p->reads < READS && p->asks < ASKS; i++)
		remember_worker(p, p->of[i].id, p->of[i].fd);
	return 0;
}

static void add(struct mw_guard *g, struct pass **pass, const struct mw_worker *w)
{
	struct pass *p = *pass ? *pass : calloc(1, sizeof(*p));
	int fd = p ? fcntl(w->dir_fd, F_DUPFD_CLOEXEC, 3) : -1;

	*pass = p;
	if (fd < 0)
		return;
	p->kernel = g->kernel;
	p->of[p->n].id = w->cgroup_id;
	p->of[p->n++].fd = fd;
}

void mw_sites_remember(struct mw_guard *g)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 0, PASS_NS);
	struct mw_worker *w, *next;
	struct pass *p = NULL;
	unsigned growing = 0;

	if (g->remember_under_way)
		return;
	HASH_ITER (by_id, g->workers.by_id, w, next) {
		if (w->trend.verdict < MW_GROWING)
			continue;
		if (growing++ >= g->remember_turn && (!p || p->n < WORKERS))
			add(g, &p, w);
	}
	g->remember_turn = growing > g->remember_turn + WORKERS ? g->remember_turn + WORKERS : 0;
	if (!p)
		return;
	if (!g->remembered)
		g->remembered = mw_remembered_new(NULL);
	p->remembered = g->remembered;
	a.call = do_pass;
	a.arg = p;
	a.slow = true;
	g->remember_under_way = p->remembered && mw_actions_submit(g->actions, &a) >= 0;
	if (!g->remember_under_way)
		free_pass(p);
}

bool mw_sites_remember_done(struct mw_guard *g, const struct mw_action_result *r)
{
	if (r->call != do_pass)
		return false;
	g->remember_under_way = false;
	free_pass(r->arg);
	return true;
}
