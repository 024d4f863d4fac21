/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/stacks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/proc.h"
#include "daemon/sites_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FIRST	   16 /* copies that are waited for, where there are none yet */
#define WAIT_NS	   (3 * MW_NS_PER_S) /* so long */
#define PAUSE_NS   (50 * MW_NS_PER_MS)
#define WAITING_NS (10 * MW_NS_PER_MS) /* between two of them meanwhile */
#define BETWEEN	   16 /* until the next look, which may be a minute away: as many as there is room for */
#define BETWEEN_NS MW_NS_PER_S
#define NAMED	   10 /* in one look: two questions */
#define ASK_MS	   4000
#define ALL_NS	   (12 * MW_NS_PER_S) /* for processes of all workers: who makes it long does so at others' cost */
#define HELD	   128 /* copies of one look, of all workers */

_Static_assert(MW_UNWOUND_MAX <= MW_STACK_DEPTH, "a site has room for a stack");
_Static_assert(MW_COPY_BYTES <= MW_STACK_BYTES, "a question has room for a copy");
_Static_assert(MW_COPY_REGISTERS == MW_STACK_REGISTERS, "the same registers");

/* What came, until it is unwound. */
struct held {
	struct mw_copy *at[HELD];
	size_t n, of_worker;
	__u64 cgroup_id;
};

static void hold(const struct mw_copy *copy, void *arg)
{
	struct held *h = arg;
	size_t n = offsetof(struct mw_copy, bytes) + copy->size;
	struct mw_copy *mine = h->n < HELD ? malloc(n) : NULL;

	if (!mine)
		return;
	memcpy(mine, copy, n);
	h->at[h->n++] = mine;
	h->of_worker += copy->cgroup_id == h->cgroup_id;
}

/* What others keep on their stacks is nobody's business any longer. */
static void let_go(struct held *h)
{
	for (size_t i = 0; i < h->n; i++) {
		explicit_bzero(h->at[i], offsetof(struct mw_copy, bytes) + h->at[i]->size);
		free(h->at[i]);
	}
	h->n = 0;
}

static void collect(struct mw_kernel *k, struct held *h, bool wait)
{
	__u64 until = mw_now_ns() + (wait ? WAIT_NS : 0);

	for (;;) {
		if (mw_kernel_copies_read(k, hold, h) < 0 || h->of_worker >= FIRST || mw_now_ns() >= until)
			return;
		nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
	}
}

/* As /proc counts them. */
static __u64 ticks(__u64 ns)
{
	return ns / (MW_NS_PER_S / (__u64)sysconf(_SC_CLK_TCK));
}

__u64 mw_stacks_start(const struct mw_stack_sum *s)
{
	return ticks(s->started_ns);
}

bool mw_stacks_lives(const struct mw_stack_sum *s)
{
	return mw_proc_is("/proc", s->pid, mw_stacks_start(s));
}

static bool same_process(const struct mw_copy *a, const struct mw_copy *b)
{
	return a->pid == b->pid && a->started_ns == b->started_ns;
}

static void add(struct mw_stacks *s, struct mw_kernel *k, const struct mw_copy *c, const struct mw_unwound *u)
{
	bool wanted = mw_kernel_copies_wanted(k, c->cgroup_id);
	struct mw_stack_worker *w = mw_stacks_find(s, c->cgroup_id, wanted);
	struct mw_stack_sum sum = {
		.pid = (pid_t)c->pid,
		.started_ns = c->started_ns,
		.pages = c->pages,
		.copies = 1,
		.unwound = *u,
	};

	memcpy(sum.comm, c->comm, sizeof(sum.comm));
	sum.comm[sizeof(sum.comm) - 1] = '\0';
	if (w)
		mw_stacks_add(w, &sum);
}

/* All copies of the process that the first of them is of, as many as one question takes. Number left. */
static size_t unwind_process(struct mw_stacks *s, struct mw_kernel *k, struct mw_copy **at, size_t n)
{
	_cleanup_free_ struct mw_stack *stacks = calloc(MW_STACKS_MAX, sizeof(*stacks));
	_cleanup_free_ struct mw_unwound *unwound = calloc(MW_STACKS_MAX, sizeof(*unwound));
	struct mw_unwind_question q = {.pid = (pid_t)at[0]->pid, .stacks = stacks, .timeout_ms = ASK_MS};
	const struct mw_copy *first = at[0], *copies[MW_STACKS_MAX];
	struct mw_error err = {};
	size_t left = 0;

	if (!stacks || !unwound)
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct mw_copy *c = at[i];

		if (!same_process(first, c) || q.n == MW_STACKS_MAX) {
			at[left++] = c;
			continue;
		}
		copies[q.n] = c;
		stacks[q.n] = (struct mw_stack){.pc = c->pc, .from = c->from, .bytes = c->bytes, .n = c->size};
		memcpy(stacks[q.n++].registers, c->registers, sizeof(c->registers));
	}
	q.start_ticks = ticks(first->started_ns);
	/* Of one that has ended nothing is left to unwind by: what was found before stays. */
	if (mw_unwind_ask(&q, unwound, &err) == 0) {
		for (size_t i = 0; i < q.n; i++)
			add(s, k, copies[i], &unwound[i]);
	}
	return left;
}

static void unwind_all(struct mw_stacks *s, struct mw_kernel *k, struct held *h)
{
	struct mw_copy *order[HELD];
	size_t left = h->n;
	__u64 until = mw_now_ns() + ALL_NS;

	memcpy(order, h->at, h->n * sizeof(order[0]));
	while (left && mw_now_ns() < until)
		left = unwind_process(s, k, order, left);
}

static void to_list(const struct mw_stack_sum *sum, struct mw_site_list *list)
{
	struct mw_site_found *f = &list->at[list->n++];

	*f = (struct mw_site_found){.pid = sum->pid,
				    .start_ticks = mw_stacks_start(sum),
				    .n_frames = (unsigned)sum->unwound.n};
	memcpy(f->frames, sum->unwound.at, sum->unwound.n * sizeof(f->frames[0]));
}

/* The names of those that have none, the heaviest first; of who still lives. */
static void name(const struct mw_sites_look *look, struct mw_stack_worker *w)
{
	_cleanup_free_ struct mw_site_list *list = calloc(1, sizeof(*list));
	size_t whose[MW_SITES_SHOWN] = {0}, at = 0;

	for (size_t named = 0; list && named < NAMED && at < w->n; named += list->n) {
		*list = (struct mw_site_list){0};
		for (; at < w->n && list->n < NAMED - named; at++) {
			if (w->at[at].named || !mw_stacks_lives(&w->at[at]))
				continue;
			whose[list->n] = at;
			to_list(&w->at[at], list);
		}
		for (size_t i = 0; i < list->n; i++) {
			if (!list->at[i].named && mw_now_ns() < look->ask_until_ns) /* else at the next look */
				mw_sites_name(look, list, i);
			w->at[whose[i]].named = TAKE_PTR(list->at[i].named);
		}
	}
}

/* Who is not wanted any more has ended, or grows no more. */
static void sweep(struct mw_stacks *s, struct mw_kernel *k)
{
	struct mw_stack_worker *w = s->workers, *next;

	for (; w; w = next) {
		next = w->next;
		if (!mw_kernel_copies_wanted(k, w->cgroup_id))
			mw_stacks_forget(s, w);
	}
}

const struct mw_stack_worker *mw_stacks_look(const struct mw_sites_look *look)
{
	struct mw_stacks *s = look->stacks;
	struct mw_kernel *k = look->kernel;
	__u64 cgroup_id = look->cgroup_id;
	_cleanup_free_ struct held *h = calloc(1, sizeof(*h));
	struct mw_stack_worker *w;

	if (!h || mw_kernel_copies_want(k, cgroup_id, 2 * FIRST, WAITING_NS) < 0)
		return NULL;
	sweep(s, k);
	w = mw_stacks_find(s, cgroup_id, false);
	h->cgroup_id = cgroup_id;
	collect(k, h, !w || w->copies < FIRST);
	mw_kernel_copies_want(k, cgroup_id, BETWEEN, BETWEEN_NS);
	unwind_all(s, k, h);
	let_go(h);
	w = mw_stacks_find(s, cgroup_id, false);
	if (!w)
		return NULL;
	mw_stacks_sort(w);
	name(look, w);
	mw_stacks_merge(w);
	mw_stacks_sort(w);
	return w;
}
