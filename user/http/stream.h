/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Server-sent events. One feed holds the last bytes of events as they go over
 * the wire, and every stream is a position in it: a hundred slow clients cost a hundred
 * positions, not a hundred buffers. No sockets here.
 */
#ifndef MW_STREAM_H
#define MW_STREAM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MW_FEED_BYTES 262144 /* a stream that is further behind loses the oldest events */

struct mw_feed;

struct mw_stream {
	uid_t reader; /* root reads everything, others what is theirs */
	__u64 at; /* of the next event's bytes in the feed */
	__u64 seq; /* number of the next event */
	char *piece; /* what is being sent: cut by a small buffer, it must survive its place in the feed */
	size_t piece_size;
	size_t piece_done;
	bool keep_alive; /* set it to have one ": keep-alive" comment sent */
};

/* NULL without memory. size: bytes of events kept, MW_FEED_BYTES except in tests. */
struct mw_feed *mw_feed_new(size_t size);
void mw_feed_free(struct mw_feed *f);
/*
 * Append one event, for root and owner to read; data may have several lines. The oldest events make room. One larger
 * than the whole feed is replaced by the notice that it was lost.
 */
void mw_feed_put(struct mw_feed *f, uid_t owner, const char *event, const char *data);

/* Start behind the newest event. */
void mw_stream_join(struct mw_stream *st, const struct mw_feed *f, uid_t reader);
void mw_stream_leave(struct mw_stream *st);
/*
 * Up to size bytes to send next, 0 when the stream has everything. What the feed no longer holds
 * is replaced, in its place, by "event: lost" with the data {"lost":N}, whosever they were.
 */
size_t mw_stream_read(struct mw_stream *st, const struct mw_feed *f, char *buf, size_t size);

#endif
