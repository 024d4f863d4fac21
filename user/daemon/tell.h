/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The only file of the daemon that speaks: a fact goes to the log (stderr, with
 * syslog priorities under systemd), into the last events kept in memory, and to everyone who
 * follows the event stream. Never blocks: a full stderr loses lines, and they are counted.
 */
#ifndef MW_TELL_H
#define MW_TELL_H

#include <json-c/json.h>
#include <linux/types.h>
#include <syslog.h>

#include "core/worker.h"
#include "http/server.h"

#define MW_TELL_KEPT 1024 /* events kept for `memweir events` */

struct mw_teller;

int mw_teller_new(struct mw_teller **ret_teller);
void mw_teller_free(struct mw_teller *t);
void mw_teller_attach(struct mw_teller *t, struct mw_server *s); /* NULL: nobody follows */

/* A line of the daemon itself. t may be NULL (before set-up): stderr only. */
void mw_say(struct mw_teller *t, int priority, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A fact about a worker: kind is the event's name ("memory-high", "lifted", "died"). */
void mw_tell(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* A kernel event, as JSON; takes the reference. keep: also into the last events. */
void mw_tell_json(struct mw_teller *t, const char *kind, struct json_object *doc, bool keep);
/* Somebody follows the stream: an event nobody follows need not be made into text. */
bool mw_teller_followed(const struct mw_teller *t);
/* {"events":[...]} members that reader may see, oldest first. New reference. */
struct json_object *mw_teller_recent(const struct mw_teller *t, uid_t reader);
__u64 mw_teller_lost(const struct mw_teller *t); /* log lines that stderr did not take */

#endif
