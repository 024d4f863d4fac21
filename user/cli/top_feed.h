/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The daemon's answers without waiting for them: the stream and one request of each kind at a time, on connections that
 * the caller's loop polls beside the keyboard. The stream is tried again each second when it has ended.
 */
#ifndef MW_TOP_FEED_H
#define MW_TOP_FEED_H

#include <json-c/json.h>
#include <linux/types.h>
#include <poll.h>
#include <stdbool.h>

enum mw_feed_kind {
	MW_FEED_LISTED, /* /v1/workers */
	MW_FEED_ONE, /* the same of one worker */
	MW_FEED_HEALTH,
	MW_FEED_LEVEL,
	MW_FEED_HISTORY,
	MW_FEED_REPORT,
	MW_FEED_MARKS,
	MW_FEED_DRY,
	MW_FEED_ACT,
	MW_FEED_MAX,
};

#define MW_FEED_FDS (MW_FEED_MAX + 1)

/* live: data of an event of /v1/live. answer: doc, borrowed, of a status below 400; else NULL and a sentence. lost: the
 * stream has ended, or there is none. */
struct mw_feed_calls {
	void (*live)(const char *data, void *arg);
	void (*answer)(enum mw_feed_kind kind, struct json_object *doc, const char *error, void *arg);
	void (*lost)(void *arg);
	void *arg;
};

struct mw_feed;

/* socket and calls are borrowed. NULL on no memory. */
struct mw_feed *mw_feed_new(const char *socket, const struct mw_feed_calls *calls);
void mw_feed_free(struct mw_feed *f); /* NULL-safe */

/* False: one of that kind is under way still, or the daemon is not reached (which was then answered). body may be NULL.
 */
bool mw_feed_ask(struct mw_feed *f, enum mw_feed_kind kind, const char *method, const char *path, const char *body,
		 __u64 now_ms);
/* Whether one of that kind is under way. */
bool mw_feed_busy(const struct mw_feed *f, enum mw_feed_kind kind);

/* What to poll for; the number of them. Then, at least each second, what came of it. now_ms: of any clock that only
 * goes forward. */
int mw_feed_polls(const struct mw_feed *f, struct pollfd fds[MW_FEED_FDS]);
void mw_feed_step(struct mw_feed *f, __u64 now_ms);

bool mw_feed_connected(const struct mw_feed *f);
__u64 mw_feed_heard_ms(const struct mw_feed *f); /* when the daemon said anything last, 0: never */
const char *mw_feed_why(const struct mw_feed *f); /* it is not connected */

#endif
