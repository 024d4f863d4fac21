/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/serve_turns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TURN_NS (MW_NS_PER_MS / 2)

struct mw_turns_job {
	struct mw_turns_job *next;
	const struct mw_turns_kind *kind;
	struct mw_request *request;
	void *state;
};

static void end(struct mw_guard *g, struct mw_turns_job *job, int r)
{
	char text[128];

	snprintf(text, sizeof(text), "no memory for %s", job->kind->what);
	if (r < 0)
		mw_serve_error(job->request, r, text);
	else
		job->kind->answer(g, job->state, job->request);
	if (job->state)
		job->kind->free(job->state);
	free(job);
}

static void leave(struct mw_turns_job *job)
{
	mw_serve_error(job->request, -EAGAIN, "the guard is stopping");
	job->kind->free(job->state);
	free(job);
}

__u64 mw_turn_end_ns(const struct mw_guard *g)
{
	return mw_now_ns() + (g->turn_ns ? g->turn_ns : TURN_NS);
}

void mw_turns_run(struct mw_guard *g)
{
	__u64 until_ns = mw_turn_end_ns(g);
	bool time_left = true;

	while (g->turns && time_left) {
		struct mw_turns_job *job = g->turns;
		bool left = mw_request_left(job->request);
		int r = left ? 0 : job->kind->step(g, job->state, until_ns);

		if (r > 0)
			break;
		g->turns = job->next;
		if (left)
			leave(job); /* an answer that nobody gets */
		else
			end(g, job, r);
		time_left = mw_now_ns() < until_ns;
	}
	if (g->turns)
		mw_loop_go_on(g);
}

void mw_turns_close(struct mw_guard *g)
{
	while (g->turns) {
		struct mw_turns_job *job = g->turns;

		g->turns = job->next;
		leave(job);
	}
}

void mw_turns_add(struct mw_guard *g, struct mw_request *r, const struct mw_turns_kind *kind, void *state)
{
	struct mw_turns_job *job = state ? calloc(1, sizeof(*job)) : NULL, **last = &g->turns;
	size_t waiting = 0;

	for (; *last; waiting++)
		last = &(*last)->next;
	if (!job || waiting >= MW_TURNS_WAITING) {
		mw_serve_error(r, job ? -EAGAIN : -ENOMEM, job ? "too many answers are being written" : NULL);
		if (state)
			kind->free(state);
		free(job);
		return;
	}
	*job = (struct mw_turns_job){.kind = kind, .request = r, .state = state};
	*last = job;
	if (g->turns == job)
		mw_turns_run(g);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct mw_worker *const *)a)->name, (*(struct mw_worker *const *)b)->name);
}

/* Every worker reader may see, in the order of their names; the array is the caller's. */
static size_t sorted(struct mw_guard *g, uid_t reader, struct mw_worker ***ret_workers)
{
	struct mw_worker **all = calloc(g->workers.count + 1, sizeof(all[0])), *w;
	size_t n = 0;

	for (w = g->workers.by_id; w && all; w = w->by_id.next) {
		if (!reader || w->uid == reader)
			all[n++] = w;
	}
	if (all)
		qsort(all, n, sizeof(all[0]), by_name);
	*ret_workers = all;
	return n;
}

static int sorted_ids(struct mw_guard *g, uid_t reader, struct mw_turns_list *list)
{
	_cleanup_free_ struct mw_worker **all = NULL;

	list->n = sorted(g, reader, &all);
	for (size_t i = 0; all && i < list->n; i++)
		list->ids[i] = all[i]->cgroup_id;
	return all ? 0 : -ENOMEM;
}

int mw_turns_list(struct mw_guard *g, uid_t reader, bool by_name, struct mw_turns_list *ret_list)
{
	struct mw_turns_list list = {.ids = calloc(g->workers.count + 1, sizeof(list.ids[0]))};
	const struct mw_worker *w;
	int r = list.ids ? 0 : -ENOMEM;

	if (r == 0 && by_name)
		r = sorted_ids(g, reader, &list);
	for (w = g->workers.by_id; w && r == 0 && !by_name; w = w->by_id.next) {
		if (!reader || w->uid == reader)
			list.ids[list.n++] = w->cgroup_id;
	}
	if (r < 0)
		mw_turns_list_free(&list);
	else
		*ret_list = list;
	return r;
}

struct mw_worker *mw_turns_next(struct mw_guard *g, struct mw_turns_list *list)
{
	struct mw_worker *w = NULL;

	while (!w && list->done < list->n)
		w = mw_worker_by_id(&g->workers, list->ids[list->done++]);
	return w;
}

void mw_turns_list_free(struct mw_turns_list *list)
{
	free(list->ids);
	*list = (struct mw_turns_list){0};
}
