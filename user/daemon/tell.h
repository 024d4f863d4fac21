/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The only door through which the daemon speaks: a fact goes to the log (tell_log.h: the journal, or stderr), into the
 * last events kept in memory, and to everyone who follows the event stream. Never blocks: a full stderr loses lines,
 * floods are cut, and both are counted. Kinds are rows of report/kinds.c.
 */
#ifndef MW_TELL_H
#define MW_TELL_H

#include <json-c/json.h>
#include <linux/types.h>
#include <syslog.h>

#include "core/recorder.h"
#include "core/worker.h"
#include "daemon/tell_log.h"
#include "http/server.h"

#define MW_TELL_KEPT 1024 /* events kept for `memweir events` */

struct mw_teller;

int mw_teller_new(struct mw_teller **ret_teller);
void mw_teller_free(struct mw_teller *t);
void mw_teller_attach(struct mw_teller *t, struct mw_server *s); /* NULL: nobody follows */

/* What is told of a worker is marked there too. NULL: no more; t NULL is fine. */
void mw_teller_record(struct mw_teller *t, struct mw_recorder *rec);

/* A line of the daemon itself. t may be NULL (before set-up): stderr only. */
void mw_say(struct mw_teller *t, int priority, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A fact about a worker: kind is the event's name ("memory-high", "lifted", "died"). */
void mw_tell(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Everything kept among the last events goes through fn too, which must not block. fn NULL: nothing does. */
typedef void (*mw_tell_hook_fn)(void *arg, int priority, const char *kind, struct json_object *doc);
void mw_teller_hook(struct mw_teller *t, mw_tell_hook_fn fn, void *arg);
/* The same with what its worker does not say: a reason, a pid, an incident. fact NULL: nothing. */
void mw_tell_fact(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w,
		  const struct mw_fact *fact, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Into the log alone, as it stands. kind: a literal. w, fact: may be NULL. */
void mw_tell_log(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w,
		 const struct mw_fact *fact, const char *text);
/* A kernel event, as JSON; takes the reference. keep: also into the last events. */
void mw_tell_json(struct mw_teller *t, const char *kind, struct json_object *doc, bool keep);
/* Somebody follows the stream, or did so lately: an event nobody follows need not be made into text, only passed. */
bool mw_teller_followed(const struct mw_teller *t);
void mw_teller_pass(struct mw_teller *t);
/* {"events":[...]} members that reader may see, oldest first. New reference. */
struct json_object *mw_teller_recent(const struct mw_teller *t, uid_t reader);
struct mw_log_counts mw_teller_counts(const struct mw_teller *t); /* log lines lost, suppressed, without fields */
void mw_teller_tick(struct mw_teller *t, __u64 now_ns); /* tells what was suppressed and is over */

#endif
