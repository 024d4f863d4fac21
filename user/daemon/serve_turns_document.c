/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Documents of every worker. What is said of one may have a hundred values, and thousands may be asked about: they are
 * written one after the other, and kept as text.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/serve.h"
#include "daemon/serve_turns.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/clock.h"

static const char marks[] = ",\"workers\":[]}";
#define LIST_BEGINS 0, 12
#define COMMA	    0, 1
#define LIST_ENDS   12, 1
#define DOC_ENDS    13, 1

struct writing {
	struct mw_turns_document of;
	struct mw_turns_list workers;
	struct mw_parts *answer;
	struct mw_kept *marks;
	bool more; /* somebody is in it */
};

void mw_turns_document_free(void *state)
{
	struct writing *d = state;

	if (d->of.free_arg)
		d->of.free_arg(d->of.arg);
	mw_turns_list_free(&d->workers);
	mw_parts_free(d->answer);
	mw_kept_drop(d->marks);
	free(d);
}

/* {"schema":1,"timestamp":"...","workers":[ */
static int begin(struct writing *d)
{
	struct json_object *doc = mw_json_document(mw_wall_ns());

	d->answer = doc ? mw_json_parts(doc) : NULL;
	d->marks = mw_kept_new(marks, sizeof(marks) - 1);
	json_object_put(doc);
	if (!d->answer || !d->marks)
		return -ENOMEM;
	mw_parts_cut(d->answer, 1); /* } */
	return mw_parts_add(d->answer, d->marks, LIST_BEGINS);
}

static int append(struct writing *d, struct json_object *one)
{
	struct mw_parts *parts = one ? mw_json_parts(one) : NULL;
	int r = parts ? mw_parts_append(d->answer, parts) : -ENOMEM;

	mw_parts_free(parts);
	return r;
}

static int add(struct mw_guard *g, struct writing *d, struct mw_worker *w)
{
	struct json_object *one = d->of.one(g, w, d->of.arg);
	int r = d->more ? mw_parts_add(d->answer, d->marks, COMMA) : 0;

	if (r == 0)
		r = append(d, one);
	json_object_put(one);
	d->more = true;
	return r;
}

/* "],...}": the tail's members, after the list. */
static int finish(struct mw_guard *g, struct writing *d)
{
	struct json_object *more = d->of.tail ? d->of.tail(g, d->of.arg) : NULL;
	struct mw_parts *tail = more ? mw_json_parts(more) : NULL;
	int r = d->of.tail && !tail ? -ENOMEM : mw_parts_add(d->answer, d->marks, LIST_ENDS);

	if (r == 0 && tail) {
		mw_parts_skip(tail, 1); /* { */
		r = mw_parts_add(d->answer, d->marks, COMMA);
		if (r == 0)
			r = mw_parts_append(d->answer, tail);
	} else if (r == 0) {
		r = mw_parts_add(d->answer, d->marks, DOC_ENDS);
	}
	mw_parts_free(tail);
	json_object_put(more);
	return r;
}

int mw_turns_document_step(struct mw_guard *g, void *state, __u64 until_ns)
{
	struct writing *d = state;
	struct mw_worker *w;

	while ((w = mw_turns_next(g, &d->workers))) {
		int r = add(g, d, w);

		if (r < 0)
			return r;
		if (d->workers.done < d->workers.n && mw_now_ns() >= until_ns)
			return 1;
	}
	return finish(g, d);
}

void mw_turns_document_answer(struct mw_guard *g, void *state, struct mw_request *r)
{
	struct writing *d = state;
	struct mw_parts *answer = d->answer;

	(void)g;
	d->answer = NULL;
	mw_request_answer_parts(r, 200, "application/json", answer);
}

void mw_turns_document(struct mw_guard *g, struct mw_request *r, const struct mw_turns_document *doc)
{
	struct writing *d = calloc(1, sizeof(*d));

	if (!d) {
		free(doc->only.ids);
		if (doc->free_arg)
			doc->free_arg(doc->arg);
		return mw_turns_add(g, r, doc->kind, NULL);
	}
	d->of = *doc;
	d->workers = doc->only;
	if ((!d->workers.ids && mw_turns_list(g, mw_serve_reader(r), true, &d->workers) < 0) || begin(d) < 0) {
		mw_turns_document_free(d);
		d = NULL;
	}
	mw_turns_add(g, r, doc->kind, d);
}
