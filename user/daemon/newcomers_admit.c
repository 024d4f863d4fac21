/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What was found out about newcomers is judged by the rules, and taken under guard. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/owner.h"
#include "core/proc.h"
#include "daemon/guard.h"
#include "daemon/newcomers.h"
#include "daemon/target.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define CHILDREN_MAX 256 /* what a process has started and is moved with it */
#define FAILURE_NS   (10 * MW_NS_PER_S) /* between two lines about those that could not be taken */

/* The worker a process is in, in its own cgroup or in one above. */
static struct mw_worker *worker_of(const struct mw_guard *g, const struct mw_facts *f)
{
	for (size_t i = 0; i < MW_FACTS_DEPTH && f->ids[i]; i++) {
		struct mw_worker *w = mw_worker_by_id(&g->workers, f->ids[i]);

		if (w)
			return w;
	}
	return NULL;
}

/* A program of ours: run asks for its worker's place itself. */
static bool is_our_program(const struct mw_facts *f)
{
	const char *base = strrchr(f->executable, '/');

	return base && strncmp(base, "/memweir", 8) == 0 && (!base[8] || base[8] == '-');
}

/* Ours, or what a host needs. What is below ROOT and no worker is ending, or the guard's own. */
static bool is_exempt(const struct mw_guard *g, const struct mw_facts *f, const struct mw_worker *w)
{
	if (f->pid == 1 || f->pid == getpid() || f->pid == getppid() || strcmp(f->cgroup, "/init.scope") == 0 ||
	    is_our_program(f))
		return true;
	return !w && mw_cgroup_path_holds(g->root, f->cgroup + 1);
}

bool mw_admit_is_container(const struct mw_guard *g, const struct mw_facts *f)
{
	struct mw_owner_info info;

	/* podman's own conmon has a scope of the containers' kind. */
	if (worker_of(g, f) || strcmp(f->cgroup, "/") == 0 || is_our_program(f) || strstr(f->cgroup, "/libpod-conmon-"))
		return false;
	if (f->other_pids)
		return true;
	return mw_owner_of(g->mount, g->root, f->cgroup, &info) == 0 && *info.manager &&
	       strcmp(info.manager, "systemd") != 0;
}

static void count(struct mw_newcomers *n, const struct mw_ruling *r)
{
	for (size_t i = 0; *r->rule && i < n->n_counts; i++)
		if (strcmp(n->counts[i].name, r->rule) == 0)
			n->counts[i].matched++;
}

/* Who ended meanwhile or is under guard already is no failure. Of the others a line in ten seconds says enough. */
static void refused(struct mw_guard *g, const struct mw_ruling *r, int code, const char *why)
{
	struct mw_newcomers *n = &g->newcomers;
	__u64 now = mw_now_ns();

	if (code == -ESRCH || code == -ENOENT || code == -ENODEV) {
		n->gone++;
		return;
	}
	if (code == -EEXIST)
		return;
	n->failed++;
	if (n->failure_told_ns && now - n->failure_told_ns < FAILURE_NS)
		return;
	n->failure_told_ns = now;
	mw_say(g->tell, LOG_WARNING, "%s: a newcomer stays without guard (%llu so far): %s", r->why,
	       (unsigned long long)n->failed, why);
}

/* Dry run: nothing is written and nobody is moved. */
static bool only_said(struct mw_guard *g, const struct mw_ruling *r, const char *who, pid_t pid)
{
	if (g->opts.dry_run)
		mw_say(g->tell, LOG_INFO, "%s: %.200s (pid %d) would come under guard as %s", r->why, who, pid,
		       r->class_name);
	return g->opts.dry_run;
}

/* ---- processes ---- */

/*
 * What it has started comes too, as far as it still stands in the cgroup it came from. Each is moved before its own
 * children are asked for: what it starts later begins in the new place.
 */
static void bring_children(struct mw_worker *w, pid_t pid, const char *from)
{
	pid_t tree[CHILDREN_MAX] = {pid};
	char cgroup[PATH_MAX], text[16];
	size_t n = 1;

	for (size_t i = 0; i < n; i++) {
		ssize_t more = mw_proc_children("/proc", tree[i], tree + n, CHILDREN_MAX - n);

		for (ssize_t k = 0; k < more; k++) {
			pid_t child = tree[n];

			if (mw_proc_cgroup("/proc", child, cgroup, sizeof(cgroup)) < 0 || strcmp(cgroup, from) != 0) {
				tree[n] = tree[n + (size_t)(more - k) - 1]; /* gone, or somewhere of its own */
				continue;
			}
			snprintf(text, sizeof(text), "%d", child);
			mw_cgroup_write(w->dir_fd, "cgroup.procs", text);
			n++;
		}
	}
}

/* ---- on the way under guard ---- */

struct admission {
	struct mw_ruling ruling;
	__u64 at_ns;
	pid_t pid; /* it alone; 0: its cgroup */
	bool moves;
	char cgroup[sizeof(((struct mw_facts *)NULL)->cgroup)]; /* where it stood */
};

static int take(struct mw_guard *g, const struct admission *a, const char *path, struct mw_container *container,
		struct mw_error *err);

/* Under guard: who says so stays with it. at_ns 0: it ran before we looked. */
static void admitted(struct mw_guard *g, struct mw_worker *w, const struct admission *a)
{
	char after[64] = "";
	__u64 now = mw_now_ns();

	g->newcomers.admitted++;
	w->class_from = a->ruling.from;
	memcpy(w->rule, a->ruling.rule, sizeof(w->rule));
	if (a->moves)
		bring_children(w, a->pid, a->cgroup);
	mw_state_save(g, w);
	if (a->at_ns && now > a->at_ns)
		snprintf(after, sizeof(after), ", %.1f ms after it began", (double)(now - a->at_ns) / MW_NS_PER_MS);
	mw_tell(g->tell, LOG_INFO, "matched", w, "worker %s (%s) came under guard by itself: %s%s", w->name,
		w->class_name, a->ruling.why, after);
}

static void taken(struct mw_guard *g, struct mw_worker *w, int status, const char *why, void *arg)
{
	_cleanup_free_ struct admission *a = arg;
	struct mw_error err = {0};

	g->newcomers.taking--;
	if (w) {
		admitted(g, w, a);
	} else if (a->pid && !a->moves && (status == -EBUSY || status == -EPERM || status == -EOPNOTSUPP)) {
		a->moves = true; /* its cgroup is not its alone */
		status = take(g, a, NULL, NULL, &err);
		if (status < 0)
			refused(g, &a->ruling, status, err.text);
	} else {
		refused(g, &a->ruling, status, why);
	}
	mw_newcomers_judge(g);
}

/* The way all of them go: a as it is (copied), the cgroup at path or its process, the container where it is one. */
static int take(struct mw_guard *g, const struct admission *a, const char *path, struct mw_container *container,
		struct mw_error *err)
{
	struct mw_target *t = calloc(1, sizeof(*t));
	struct admission *copy = malloc(sizeof(*copy));
	struct mw_attach attach = {.class_name = a->ruling.class_name, .target = t, .then = taken, .arg = copy};
	int r;

	if (t)
		*t = (struct mw_target){.kind = path ? MW_TARGET_CGROUP : MW_TARGET_PID,
					.what = path ? strdup(path) : NULL,
					.pid = a->pid,
					.move = a->moves,
					.dir_fd = -1};
	if (!t || !copy || (path && !t->what)) {
		if (t)
			mw_target_free(t);
		free(t);
		free(copy);
		return mw_fail(err, -ENOMEM, "no memory");
	}
	if (container) {
		t->container = container;
		t->pid = container->pid;
		t->pid_start = container->pid_start;
	}
	*copy = *a;
	r = mw_life_attach(g, &attach, err);
	if (r < 0)
		free(copy);
	else
		g->newcomers.taking++;
	return r;
}

/* The process that was looked at, where it was then. */
static bool is_still_there(const struct mw_facts *f)
{
	char cgroup[sizeof(f->cgroup)];

	return mw_proc_is("/proc", f->pid, f->start) && mw_proc_cgroup("/proc", f->pid, cgroup, sizeof(cgroup)) == 0 &&
	       strcmp(cgroup, f->cgroup) == 0;
}

/* Its parent stands where it does: then its cgroup is not its alone, and need not be tried. */
static bool is_with_parent(const struct mw_facts *f)
{
	char cgroup[sizeof(f->cgroup)];
	pid_t parent;

	return mw_proc_ppid("/proc", f->pid, &parent) == 0 && parent &&
	       mw_proc_cgroup("/proc", parent, cgroup, sizeof(cgroup)) == 0 && strcmp(cgroup, f->cgroup) == 0;
}

/*
 * It alone: in place where its cgroup is its own, else with what it has started into one of ours; or the whole of its
 * unit, or of its cgroup where it is in none.
 */
static int take_process(struct mw_guard *g, const struct mw_ruling *r, const struct mw_arrival *who,
			const struct mw_facts *f, bool in_worker, struct mw_error *err)
{
	struct admission a = {.ruling = *r, .at_ns = who->at_ns};
	char path[sizeof(f->cgroup)];

	if (!is_still_there(f))
		return -ESRCH;
	memcpy(a.cgroup, f->cgroup, sizeof(a.cgroup));
	if (r->about == MW_ABOUT_PROCESS) {
		a.pid = f->pid;
		a.moves = in_worker || strcmp(f->cgroup, "/") == 0 || is_with_parent(f);
		return take(g, &a, NULL, NULL, err);
	}
	mw_rule_top(f->cgroup, path, sizeof(path));
	return take(g, &a, path, NULL, err);
}

void mw_admit_process(struct mw_guard *g, const struct mw_arrival *who, const struct mw_facts *f)
{
	struct mw_worker *in = worker_of(g, f);
	const struct mw_newcomer newcomer = {
		.executable = f->executable,
		.arguments = f->arguments,
		.uid = f->uid,
		.parent = in ? in->class_name : "",
		.cgroup = f->cgroup,
		.trusted = f->trusted,
		.user = f->user,
	};
	struct mw_error err = {0};
	struct mw_ruling r;
	bool alone;
	int rc;

	if (is_exempt(g, f, in) || (in && (f->pid == in->main_pid || (f->other_pids && !in->made))))
		return;
	mw_rule_decide(&g->cfg, &newcomer, &r);
	alone = r.about == MW_ABOUT_PROCESS;
	/* Only what is new is judged: a cgroup once, a process when it has its program; and one of a container never.
	 */
	if (!(who->flags & (alone ? MW_NEWCOMER_EXEC : MW_NEWCOMER_CGROUP)) || (alone && !in && f->other_pids))
		return;
	count(&g->newcomers, &r);
	if (!r.class_name[0] || only_said(g, &r, f->executable, f->pid))
		return;
	rc = take_process(g, &r, who, f, in, &err);
	if (rc < 0)
		refused(g, &r, rc, err.text);
}

/* ---- containers ---- */

void mw_admit_container(struct mw_guard *g, struct mw_asking *asked, __u64 at_ns)
{
	const struct mw_container *c = &asked->container;
	const struct mw_newcomer newcomer = {
		.container = c,
		.executable = "",
		.arguments = "",
		.parent = "",
		.cgroup = c->cgroup,
		.trusted = asked->trusted,
		.user = asked->user,
	};
	struct mw_container *handed;
	struct mw_error err = {0};
	struct admission a = {.at_ns = at_ns};
	char path[MW_CONTAINER_CGROUP];
	int rc;

	if (mw_worker_by_id(&g->workers, asked->id))
		return;
	mw_rule_decide(&g->cfg, &newcomer, &a.ruling);
	count(&g->newcomers, &a.ruling);
	if (!a.ruling.class_name[0] || only_said(g, &a.ruling, c->name[0] ? c->name : c->id, c->pid))
		return;
	handed = malloc(sizeof(*handed));
	if (!handed)
		return;
	*handed = asked->container; /* with what it owns */
	asked->container = (struct mw_container){0};
	memcpy(path, handed->cgroup, sizeof(path));
	rc = take(g, &a, path, handed, &err);
	if (rc < 0)
		refused(g, &a.ruling, rc, err.text);
}
