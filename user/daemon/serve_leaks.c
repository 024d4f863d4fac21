/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * report leaks of everybody. What is said of one who grows has a hundred values, and thousands may grow: they are
 * written one after the other, for 2 ms in one turn of the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TURN_NS (2 * MW_NS_PER_MS)

static const char marks[] = ",\"workers\":[]}";
#define LIST_BEGINS 0, 12
#define COMMA	    0, 1
#define LIST_ENDS   12, 2

struct mw_leaks {
	struct mw_leaks *next;
	struct mw_request *request;
	struct mw_parts *answer;
	struct mw_kept *marks;
	bool more; /* somebody is in it */
	size_t n, done;
	__u64 ids[]; /* of the workers it began with, in the order of their names */
};

static void leaks_free(struct mw_leaks *l)
{
	mw_parts_free(l->answer);
	mw_kept_drop(l->marks);
	free(l);
}

/* {"schema":1,"timestamp":"...","workers":[ */
static int begin(struct mw_leaks *l)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());
	struct mw_parts *head = doc ? mw_json_parts(doc) : NULL;

	json_object_put(doc);
	l->answer = head;
	l->marks = mw_kept_new(marks, sizeof(marks) - 1);
	if (!head || !l->marks)
		return -ENOMEM;
	mw_parts_cut(head, 1); /* } */
	return mw_parts_add(head, l->marks, LIST_BEGINS);
}

static int add(struct mw_leaks *l, const struct mw_worker *w)
{
	struct json_object *one = mw_json_leak(w, mw_now_ns(), mw_wall_ns());
	struct mw_parts *parts = one ? mw_json_parts(one) : NULL;
	int r = parts ? 0 : -ENOMEM;

	json_object_put(one);
	if (r == 0 && l->more)
		r = mw_parts_add(l->answer, l->marks, COMMA);
	if (r == 0)
		r = mw_parts_append(l->answer, parts);
	mw_parts_free(parts);
	l->more = true;
	return r;
}

/* Until it is done, or the time is up. 1: there is more to do. Who has ended since it began is left out. */
static int go_on(struct mw_guard *g, struct mw_leaks *l, __u64 until_ns)
{
	int r = 0;

	while (r == 0 && l->done < l->n) {
		const struct mw_worker *w = mw_worker_by_id(&g->workers, l->ids[l->done++]);

		if (w)
			r = add(l, w);
		if (l->done < l->n && mw_now_ns() >= until_ns)
			return r < 0 ? r : 1;
	}
	return r < 0 ? r : mw_parts_add(l->answer, l->marks, LIST_ENDS);
}

static void end(struct mw_leaks *l, int r)
{
	if (r < 0)
		mw_serve_error(l->request, r, "no memory for a report of so many workers");
	else
		mw_request_answer_parts(l->request, 200, "application/json", TAKE_PTR(l->answer));
	leaks_free(l);
}

void mw_serve_leaks_turn(struct mw_guard *g)
{
	__u64 until_ns = mw_now_ns() + TURN_NS;

	while (g->leaks && mw_now_ns() < until_ns) {
		struct mw_leaks *l = g->leaks;
		int r = go_on(g, l, until_ns);

		if (r > 0)
			break;
		g->leaks = l->next;
		end(l, r);
	}
	if (g->leaks)
		mw_loop_go_on(g);
}

void mw_serve_leaks_close(struct mw_guard *g)
{
	while (g->leaks) {
		struct mw_leaks *l = g->leaks;

		g->leaks = l->next;
		mw_serve_error(l->request, -EAGAIN, "the guard is stopping");
		leaks_free(l);
	}
}

void mw_serve_leaks(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	_cleanup_free_ struct mw_worker **all = NULL;
	size_t n = mw_serve_sorted(g, mw_serve_reader(r), &all);
	struct mw_leaks *l = all ? calloc(1, sizeof(*l) + n * sizeof(l->ids[0])) : NULL, **last = &g->leaks;

	(void)rest;
	if (!l)
		return mw_serve_error(r, -ENOMEM, "no memory for a report of so many workers");
	l->request = r;
	l->n = n;
	for (size_t i = 0; i < n; i++)
		l->ids[i] = all[i]->cgroup_id;
	if (begin(l) < 0)
		return end(l, -ENOMEM);
	while (*last)
		last = &(*last)->next;
	*last = l;
	if (g->leaks == l)
		mw_serve_leaks_turn(g);
}
