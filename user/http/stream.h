/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Server-sent events. One feed holds the last bytes of events as they go over
 * the wire, and every stream is a position in it: a hundred slow clients cost a hundred
 * positions, not a hundred buffers. No sockets here.
 *
 * Events are numbered from 1 on, and each feed has a random name, so that "NAME-NUMBER" (a client's Last-Event-ID) says
 * where somebody stopped reading, and whether that was this feed or one of a daemon that is gone.
 */
#ifndef MW_STREAM_H
#define MW_STREAM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mw_feed;

struct mw_stream {
	uid_t reader; /* root reads everything, others what is theirs */
	__u64 at; /* of the next event's bytes in the feed */
	__u64 seq; /* number of the next event */
	__u64 lost; /* events it was told are lost, in sum */
	char *piece; /* what is being sent: cut by a small buffer, it must survive its place in the feed */
	size_t piece_size;
	size_t piece_done;
	bool greet; /* how soon to come back and where it begins go first */
	bool restarted; /* it comes from another feed than this */
	bool keep_alive; /* set it to have one ": keep-alive" comment sent, with where it is */
};

/* NULL without memory. size: bytes of events it keeps once it is open; until then it only counts. */
struct mw_feed *mw_feed_new(size_t size);
void mw_feed_free(struct mw_feed *f);
/* Begin to keep, and stop to: what was kept is forgotten, the numbers go on. -ENOMEM. */
int mw_feed_open(struct mw_feed *f);
void mw_feed_close(struct mw_feed *f);
bool mw_feed_is_open(const struct mw_feed *f);
/*
 * Append one event, for root and owner to read; data may have several lines. The oldest events make room. One larger
 * than the whole feed is replaced by the notice that it was lost. A feed that is not open counts it, as does pass:
 * an event nobody has made into text.
 */
void mw_feed_put(struct mw_feed *f, uid_t owner, const char *event, const char *data);
void mw_feed_pass(struct mw_feed *f);

/*
 * Start behind the newest event or, with after (what a client says it has seen last), behind that one. Of what is no
 * longer there, or came from another feed, "event: lost" says how much it was.
 */
void mw_stream_join(struct mw_stream *st, const struct mw_feed *f, uid_t reader, const char *after);
void mw_stream_leave(struct mw_stream *st);
/*
 * Up to size bytes to send next, 0 when the stream has everything. What the feed no longer holds
 * is replaced, in its place, by "event: lost" with the data {"lost":N}, whosever they were; {"lost":N,"restarted":true}
 * for who has read another feed: how much of that one was missed nobody knows.
 */
size_t mw_stream_read(struct mw_stream *st, const struct mw_feed *f, char *buf, size_t size);

#endif
