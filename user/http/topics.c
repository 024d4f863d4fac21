// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What the server's streams are about: a feed for each topic, its memory there only when somebody may want it. */
#include <errno.h>

#include "http/internal.h"
#include "http/server.h"
#include "util/clock.h"

/* bytes: a stream that is further behind loses the oldest. linger_ms: how long they are kept for one who comes back. */
static const struct {
	size_t bytes;
	unsigned linger_ms;
} topics[] = {
	[MW_TOPIC_EVENTS] = {256 << 10, 600000}, /* a restarted scraper, a browser whose machine slept */
	[MW_TOPIC_LIVE] = {2 << 20, 0}, /* one look at some 25,000 workers; who comes back gets a new one */
};
_Static_assert(sizeof(topics) / sizeof(topics[0]) == MW_TOPIC_MAX, "a row for every topic");

int mw_topics_new(struct mw_server *s)
{
	for (enum mw_topic t = 0; t < MW_TOPIC_MAX; t++) {
		s->topics[t].feed = mw_feed_new(topics[t].bytes);
		if (!s->topics[t].feed)
			return -ENOMEM;
		s->topics[t].linger_ms = topics[t].linger_ms;
	}
	return 0;
}

void mw_topics_free(struct mw_server *s)
{
	for (enum mw_topic t = 0; t < MW_TOPIC_MAX; t++)
		mw_feed_free(s->topics[t].feed);
}

static bool streams_on(const struct slot *slot, enum mw_topic t)
{
	return slot->request && slot->request->streaming && slot->request->topic == t;
}

void mw_server_broadcast(struct mw_server *s, enum mw_topic t, uid_t owner, const char *event, const char *data)
{
	mw_feed_put(s->topics[t].feed, owner, event, data);
	if (!mw_feed_is_open(s->topics[t].feed))
		return;
	for (struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++)
		if (streams_on(slot, t))
			mw_request_resume(slot->request);
}

void mw_server_pass(struct mw_server *s, enum mw_topic t)
{
	mw_feed_pass(s->topics[t].feed);
}

size_t mw_server_streams(const struct mw_server *s, enum mw_topic t)
{
	size_t n = 0;

	for (const struct slot *slot = s->slots; slot < s->slots + MW_HTTP_SLOTS; slot++)
		n += streams_on(slot, t) && !slot->request->left;
	return n;
}

bool mw_server_followed(const struct mw_server *s, enum mw_topic t)
{
	return mw_feed_is_open(s->topics[t].feed);
}

void mw_server_set_linger(struct mw_server *s, enum mw_topic t, unsigned linger_ms)
{
	s->topics[t].linger_ms = linger_ms;
}

__u64 mw_topics_tick(struct mw_server *s, __u64 now_ns)
{
	__u64 next_ns = ~0ULL;

	for (struct topic *t = s->topics; t < s->topics + MW_TOPIC_MAX; t++) {
		if (!mw_feed_is_open(t->feed))
			continue;
		if (mw_server_streams(s, (enum mw_topic)(t - s->topics)))
			t->until_ns = 0;
		else if (!t->until_ns)
			t->until_ns = now_ns + t->linger_ms * MW_NS_PER_MS;
		if (t->until_ns && t->until_ns <= now_ns)
			mw_feed_close(t->feed);
		else if (t->until_ns && t->until_ns < next_ns)
			next_ns = t->until_ns;
	}
	return next_ns;
}
