/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Between the routes (serve.c) and the documents they answer (serve_ps.c, serve_check.c, ..., serve_write.c). */
#ifndef MW_SERVE_H
#define MW_SERVE_H

#include <json-c/json.h>

#include "core/access.h"
#include "daemon/guard.h"

/* Answer and let go of the reference; NULL doc: 500. */
void mw_serve_json(struct mw_request *r, unsigned status, struct json_object *doc);
/* {"error": text} with the HTTP status that fits -errno. */
void mw_serve_error(struct mw_request *r, int code, const char *text);
void mw_serve_unknown(struct mw_request *r, const char *name); /* 404: no worker of this name */
void mw_serve_text(struct mw_request *r, const char *text); /* {"text": text} */
/* The body as an object, the caller's; NULL: the request has been answered. */
struct json_object *mw_serve_body(struct mw_request *r);
const char *mw_serve_string(struct json_object *o, const char *key); /* borrowed; NULL when it is no string */

/* serve_access.c: may its caller do this to w (NULL: no worker in question)? False: it has been answered. */
bool mw_serve_may(struct mw_guard *g, struct mw_request *r, enum mw_right right, const char *what,
		  const struct mw_worker *w);
/* A user who is not root has one action under way at a time, all together two: threads and queue are the guard's too.
 */
int mw_serve_room_to_act(const struct mw_guard *g, uid_t uid, struct mw_error *err);
/* And so many settings a second. */
int mw_serve_room_to_set(struct mw_guard *g, struct mw_error *err);
/* Whose workers it may see; 0: everybody's, also over TCP. */
uid_t mw_serve_reader(const struct mw_request *r);
/* Members of the list that are for reader, as a new list; the old one's reference is taken. */
struct json_object *mw_serve_mine(struct json_object *list, uid_t reader, size_t most);

struct json_object *mw_serve_pauses_of(struct mw_guard *g, const struct mw_worker *w); /* one of report pauses */

/* Routes. rest: what follows the route's path. */
void mw_serve_ps(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_level(struct mw_guard *g, struct mw_request *r, struct mw_worker *w);
void mw_serve_check(struct mw_guard *g, struct mw_request *r, const char *rest); /* serve_check.c */
void mw_serve_leaks(struct mw_guard *g, struct mw_request *r, const char *rest); /* serve_leaks.c */
void mw_serve_metrics(struct mw_guard *g, struct mw_request *r, const char *rest); /* serve_metrics.c */
void mw_serve_pauses(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_incidents(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_one(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_config(struct mw_guard *g, struct mw_request *r, const char *rest); /* serve_config.c */

void mw_serve_placed(struct mw_guard *g, struct mw_request *r, const struct mw_worker *w); /* 201: where it stands */
void mw_serve_start(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_detach(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_life(struct mw_guard *g, struct mw_request *r, struct mw_worker *w,
		   const char *what); /* "started", "ended" */
void mw_serve_set(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_reload(struct mw_guard *g, struct mw_request *r, const char *rest);
/* serve_history.c */
void mw_serve_history(struct mw_guard *g, struct mw_request *r, const struct mw_worker *w);
void mw_serve_histories(struct mw_guard *g, struct mw_request *r, const char *rest);
/* serve_rules.c */
void mw_serve_rules(struct mw_guard *g, struct mw_request *r, const char *rest);
/* serve_figures.c: PUT of a worker's own figures; for any worker, for tests */
void mw_serve_figures(struct mw_guard *g, struct mw_request *r, const char *rest);
void mw_serve_figures_of(struct mw_guard *g, struct mw_request *r, struct mw_worker *w);
/* serve_page.c */
void mw_serve_page(struct mw_guard *g, struct mw_request *r, const char *rest);
/* serve_samples.c */
void mw_serve_samples(struct mw_guard *g, struct mw_request *r, const char *rest);
/*
 * The rule target names out of cfg, a copy of the one in force, and with save out of what set --save has kept.
 * -EEXIST where somebody has written it into a file: all of it stays.
 */
int mw_serve_remove_rule(struct mw_guard *g, const char *target, bool save, struct mw_config *cfg,
			 struct mw_error *err);
/* What is so now that it is gone, for people. */
const char *mw_serve_removed_text(struct mw_guard *g, const char *target, bool save, char *text, size_t size);
void mw_serve_newcomer(struct mw_guard *g, struct mw_request *r, const char *rest);

#endif
