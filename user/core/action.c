/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The pool: who does which action when. */
#include "core/action.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include "core/action_do.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define STACK_SIZE (128UL * 1024)

static const char *const names[] = {
	[MW_ACTION_RECLAIM] = "reclaim", [MW_ACTION_LIMIT] = "limit", [MW_ACTION_KILL] = "kill",
	[MW_ACTION_FREEZE] = "freeze",	 [MW_ACTION_THAW] = "thaw",   [MW_ACTION_CALL] = "call",
};
_Static_assert(ARRAY_SIZE(names) == MW_ACTION_MAX, "a name for each kind");

struct hand {
	struct mw_actions *pool;
	pthread_t thread;
	bool started, ended, running;
	__u64 cookie; /* of what it runs */
};

struct mw_actions {
	struct mw_action_env env;
	char *proc_root;
	int fd;
	unsigned n_hands;
	struct hand hands[MW_ACTIONS_THREADS];
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t work, ends;
	bool stop;
	__u64 refused;
	unsigned n_running;
	unsigned n_queued, n_done, first_done;
	struct mw_action queue[MW_ACTIONS_QUEUE]; /* in order of submission */
	struct mw_action_result done[MW_ACTIONS_QUEUE]; /* a ring */
};

const char *mw_action_name(enum mw_action_kind kind)
{
	return (unsigned)kind < MW_ACTION_MAX ? names[kind] : "unknown";
}

struct mw_action mw_action_make(enum mw_action_kind kind, int dir_fd, __u64 cookie, __u64 in_ns)
{
	return (struct mw_action){.kind = kind, .dir_fd = dir_fd, .cookie = cookie, .deadline_ns = mw_now_ns() + in_ns};
}

void mw_action_limits(struct mw_action *a, const struct mw_limits *limits)
{
	const struct mw_action_write writes[] = {
		/* swap first: what the lower limits below push out needs a place; high last: it is what throttles */
		{"memory.swap.max", limits->swap_max},	 {"memory.low", limits->low},
		{"memory.oom.group", limits->oom_group}, {"memory.max", limits->max},
		{"memory.high", limits->high},
	};

	_Static_assert(ARRAY_SIZE(writes) <= MW_ACTION_WRITES, "room for all");
	memcpy(a->writes, writes, sizeof(writes));
	a->n_writes = ARRAY_SIZE(writes);
}

/* ---- choosing, with the lock ---- */

static bool cookie_runs(const struct mw_actions *p, __u64 cookie)
{
	for (unsigned i = 0; i < p->n_hands; i++)
		if (p->hands[i].running && p->hands[i].cookie == cookie)
			return true;
	return false;
}

static bool cookie_waits(const struct mw_actions *p, unsigned before, __u64 cookie)
{
	for (unsigned i = 0; i < before; i++)
		if (p->queue[i].cookie == cookie)
			return true;
	return false;
}

static bool may_take(const struct mw_actions *p, const struct hand *h, unsigned i)
{
	const struct mw_action *a = &p->queue[i];
	bool reserved = h == &p->hands[0] && p->n_hands > 1;

	if (reserved && (a->kind == MW_ACTION_RECLAIM || a->kind == MW_ACTION_LIMIT || a->slow) && !p->stop)
		return false;
	if (a->slow && !p->stop && p->n_hands == MW_ACTIONS_THREADS && h == &p->hands[1])
		return false; /* what takes long leaves one to limits and reclaim */
	if (!a->cookie || a->kind == MW_ACTION_KILL)
		return true; /* who is to be killed needs nothing that comes before */
	return !cookie_runs(p, a->cookie) && !cookie_waits(p, i, a->cookie);
}

/* Take the first action this hand may do out of the queue. */
static bool take(struct mw_actions *p, struct hand *h, struct mw_action *ret)
{
	for (unsigned i = 0; i < p->n_queued; i++) {
		if (!may_take(p, h, i))
			continue;
		*ret = p->queue[i];
		memmove(&p->queue[i], &p->queue[i + 1], (--p->n_queued - i) * sizeof(p->queue[0]));
		h->running = true;
		h->cookie = ret->cookie;
		p->n_running++;
		return true;
	}
	return false;
}

static void finish(struct mw_actions *p, struct hand *h, const struct mw_action_result *res)
{
	const __u64 one = 1;

	h->running = false;
	p->n_running--;
	p->done[(p->first_done + p->n_done++) % MW_ACTIONS_QUEUE] = *res;
	(void)!write(p->fd, &one, sizeof(one));
	pthread_cond_broadcast(&p->work); /* its cookie is free */
}

/* ---- the threads ---- */

static void run_one(struct mw_actions *p, struct mw_action *a, bool stopped, struct mw_action_result *res)
{
	*res = (struct mw_action_result){
		.kind = a->kind, .dry_run = a->dry_run, .cookie = a->cookie, .arg = a->arg, .call = a->call};
	memcpy(res->reason, a->reason, sizeof(res->reason));
	if (stopped && a->kind != MW_ACTION_THAW && a->kind != MW_ACTION_CALL) {
		res->status = -ECANCELED;
		snprintf(res->text, sizeof(res->text), "not done: the guard is stopping");
	} else {
		mw_action_do(&p->env, a, res);
	}
	mw_close(&a->dir_fd);
}

static void *work(void *arg)
{
	struct hand *h = arg;
	struct mw_actions *p = h->pool;
	struct mw_action_result res;
	struct mw_action a;

	prctl(PR_SET_NAME, "mw-action");
	pthread_mutex_lock(&p->lock);
	while (!p->stop || p->n_queued) {
		bool stopped = p->stop;

		if (!take(p, h, &a)) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		run_one(p, &a, stopped, &res);
		pthread_mutex_lock(&p->lock);
		finish(p, h, &res);
	}
	h->ended = true;
	pthread_cond_broadcast(&p->ends);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int start(struct mw_actions *p, unsigned threads)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_mutex_lock(&p->lock); /* no hand looks before all are there */
	for (unsigned i = 0; i < threads && !r; i++) {
		p->hands[i].pool = p;
		r = -pthread_create(&p->hands[i].thread, &attr, work, &p->hands[i]);
		p->hands[i].started = !r;
		p->n_hands += !r;
	}
	pthread_mutex_unlock(&p->lock);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

int mw_actions_new(unsigned threads, const char *proc_root, struct mw_actions **ret_pool)
{
	struct mw_actions *p;
	pthread_condattr_t clock;
	int r;

	if (!threads || threads > MW_ACTIONS_THREADS)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->proc_root = strdup(proc_root);
	p->env.proc_root = p->proc_root;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&p->work, NULL);
	pthread_cond_init(&p->ends, &clock);
	pthread_condattr_destroy(&clock);
	r = p->fd < 0 ? -EMFILE : !p->proc_root ? -ENOMEM : start(p, threads);
	if (r) {
		mw_actions_free(p);
		return r;
	}
	*ret_pool = p;
	return 0;
}

/* Wait for all hands up to the deadline; the number that did not end. With the lock. */
static unsigned wait_for_hands(struct mw_actions *p)
{
	__u64 until = mw_now_ns() + MW_ACTIONS_STOP_NS;
	const struct timespec t = {(time_t)(until / MW_NS_PER_S), (long)(until % MW_NS_PER_S)};
	unsigned left;
	int r = 0;

	do {
		left = 0;
		for (unsigned i = 0; i < p->n_hands; i++)
			left += !p->hands[i].ended;
		if (left && !r)
			r = pthread_cond_timedwait(&p->ends, &p->lock, &t);
		else
			break;
	} while (1);
	return left;
}

unsigned mw_actions_free(struct mw_actions *p)
{
	unsigned left;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	left = wait_for_hands(p);
	for (unsigned i = 0; i < p->n_hands; i++) {
		if (!p->hands[i].ended)
			pthread_detach(p->hands[i].thread);
	}
	pthread_mutex_unlock(&p->lock);
	if (left)
		return left; /* the pool is theirs: freed under a thread that comes back, it would be worse than a leak
			      */
	for (unsigned i = 0; i < p->n_hands; i++)
		pthread_join(p->hands[i].thread, NULL);
	mw_close(&p->fd);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->ends);
	free(p->proc_root);
	free(p);
	return 0;
}

/* ---- the loop's side ---- */

static bool valid(const struct mw_action *a)
{
	if ((unsigned)a->kind >= MW_ACTION_MAX || a->n_writes > MW_ACTION_WRITES)
		return false;
	if (a->kind == MW_ACTION_CALL)
		return a->call;
	return a->dir_fd >= 0 && (a->kind != MW_ACTION_RECLAIM || a->bytes) &&
	       (a->kind != MW_ACTION_LIMIT || a->n_writes);
}

int mw_actions_submit(struct mw_actions *p, const struct mw_action *action)
{
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (!valid(action))
		return -EINVAL;
	if (action->dir_fd >= 0) {
		fd = fcntl(action->dir_fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
	}
	pthread_mutex_lock(&p->lock);
	if (p->stop || p->n_queued + p->n_running + p->n_done >= MW_ACTIONS_QUEUE) {
		p->refused++;
		r = -EAGAIN;
	} else {
		p->queue[p->n_queued] = *action;
		p->queue[p->n_queued++].dir_fd = TAKE_FD(fd);
		pthread_cond_broadcast(&p->work);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

int mw_actions_fd(const struct mw_actions *p)
{
	return p->fd;
}

bool mw_actions_next(struct mw_actions *p, struct mw_action_result *ret_result)
{
	__u64 count;
	bool found;

	pthread_mutex_lock(&p->lock);
	found = p->n_done;
	if (found) {
		*ret_result = p->done[p->first_done++ % MW_ACTIONS_QUEUE];
		p->first_done %= MW_ACTIONS_QUEUE;
		p->n_done--;
	}
	/* Readable exactly as long as there are more. */
	if (!p->n_done)
		(void)!read(p->fd, &count, sizeof(count));
	pthread_mutex_unlock(&p->lock);
	return found;
}

__u64 mw_actions_refused(const struct mw_actions *p)
{
	struct mw_actions *pool = (struct mw_actions *)p;
	__u64 n;

	pthread_mutex_lock(&pool->lock);
	n = p->refused;
	pthread_mutex_unlock(&pool->lock);
	return n;
}
