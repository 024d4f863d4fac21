/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Answers that take long, written a bit in each turn of the loop: the first that came is finished first, 500 us at a
 * time, between whatever else is due.
 */
#ifndef MW_SERVE_TURNS_H
#define MW_SERVE_TURNS_H

#include <json-c/json.h>

#include "daemon/guard.h"

#define MW_TURNS_WAITING 128 /* as many as there can be connections: more are answered 503 */

struct mw_turns_kind {
	const char *what; /* for errors: "a report of so many workers" */
	/* Go on with state until it is done or that time has come. 1: there is more to do; 0: done; -errno. */
	int (*step)(struct mw_guard *g, void *state, __u64 until_ns);
	void (*answer)(struct mw_guard *g, void *state, struct mw_request *r); /* once it is done */
	void (*free)(void *state);
};

/*
 * Begins at once if nothing waits. state is taken over; NULL: there was no memory for it. A client that leaves ends
 * its job.
 */
void mw_turns_add(struct mw_guard *g, struct mw_request *r, const struct mw_turns_kind *kind, void *state);

/* The workers a job began with: who ends meanwhile is left out, who comes is not in it. */
struct mw_turns_list {
	size_t n, done;
	__u64 *ids;
};
/* All that reader may see, in the order of their names (thousands take some ms), or as they came. -ENOMEM. */
int mw_turns_list(struct mw_guard *g, uid_t reader, bool by_name, struct mw_turns_list *ret_list);
struct mw_worker *mw_turns_next(struct mw_guard *g, struct mw_turns_list *list); /* NULL: that was the last */
void mw_turns_list_free(struct mw_turns_list *list);

/*
 * A document whose workers[] are written so: {"schema", "timestamp", "workers":[one of each], what is in tail}. arg and
 * only are taken over; tail and free_arg may be NULL.
 */
struct mw_turns_document {
	const struct mw_turns_kind *kind; /* whose step, answer and free are mw_turns_document_* */
	struct json_object *(*one)(struct mw_guard *g, struct mw_worker *w, void *arg);
	struct json_object *(*tail)(struct mw_guard *g, void *arg); /* asked when the last one is written */
	void *arg;
	void (*free_arg)(void *arg);
	struct mw_turns_list only; /* these workers; ids NULL: all that the reader may see, by name */
};
void mw_turns_document(struct mw_guard *g, struct mw_request *r, const struct mw_turns_document *doc);
int mw_turns_document_step(struct mw_guard *g, void *state, __u64 until_ns);
void mw_turns_document_answer(struct mw_guard *g, void *state, struct mw_request *r);
void mw_turns_document_free(void *state);

#endif
