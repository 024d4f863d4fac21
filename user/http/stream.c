// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "http/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/*
 * A ring of records, each a head and as many bytes as it says, both wrapped at the end. Offsets only
 * grow: bytes[offset % size]. At 1 GB/s they wrap after five hundred years.
 */
struct mw_feed {
	size_t size;
	__u64 head; /* where the next record goes */
	__u64 tail; /* the oldest record */
	__u64 head_seq;
	__u64 tail_seq;
	char bytes[];
};

struct head {
	__u32 size;
	uid_t owner;
};

static void ring_write(struct mw_feed *f, __u64 at, const void *from, size_t size)
{
	size_t start = at % f->size;
	size_t first = size < f->size - start ? size : f->size - start;

	memcpy(f->bytes + start, from, first);
	memcpy(f->bytes, (const char *)from + first, size - first);
}

static void ring_read(const struct mw_feed *f, __u64 at, void *to, size_t size)
{
	size_t start = at % f->size;
	size_t first = size < f->size - start ? size : f->size - start;

	memcpy(to, f->bytes + start, first);
	memcpy((char *)to + first, f->bytes, size - first);
}

struct mw_feed *mw_feed_new(size_t size)
{
	struct mw_feed *f = calloc(1, sizeof(*f) + size);

	if (f)
		f->size = size;
	return f;
}

void mw_feed_free(struct mw_feed *f)
{
	free(f);
}

/* Where one event's text goes; without a feed it is only measured. */
struct pen {
	struct mw_feed *f;
	__u64 at;
};

static void pen_write(struct pen *p, const char *text, size_t size)
{
	if (p->f)
		ring_write(p->f, p->at, text, size);
	p->at += size;
}

/* "event: E\ndata: LINE\n...\n". A line break inside data would end the event early, so each line gets its field. */
static void lay_out(struct pen *p, const char *event, const char *data)
{
	size_t line;

	pen_write(p, "event: ", 7);
	pen_write(p, event, strcspn(event, "\r\n"));
	do {
		line = strcspn(data, "\r\n");
		pen_write(p, "\ndata: ", 7);
		pen_write(p, data, line);
		data += line;
		if (data[0] == '\r' && data[1] == '\n')
			data++;
	} while (*data++);
	pen_write(p, "\n\n", 2);
}

static void drop_oldest(struct mw_feed *f)
{
	struct head head;

	ring_read(f, f->tail, &head, sizeof(head));
	f->tail += sizeof(head) + head.size;
	f->tail_seq++;
}

void mw_feed_put(struct mw_feed *f, uid_t owner, const char *event, const char *data)
{
	struct pen measure = {}, p = {.f = f};
	struct head head = {.owner = owner};

	lay_out(&measure, event, data);
	if (measure.at > f->size - sizeof(head)) {
		mw_feed_put(f, owner, "lost", "{\"lost\":1}");
		return;
	}
	head.size = (__u32)measure.at;
	while (f->head + sizeof(head) + head.size - f->tail > f->size)
		drop_oldest(f);
	ring_write(f, f->head, &head, sizeof(head));
	p.at = f->head + sizeof(head);
	lay_out(&p, event, data);
	f->head = p.at;
	f->head_seq++;
}

void mw_stream_join(struct mw_stream *st, const struct mw_feed *f, uid_t reader)
{
	*st = (struct mw_stream){.reader = reader, .at = f->head, .seq = f->head_seq};
}

void mw_stream_leave(struct mw_stream *st)
{
	free(st->piece);
	*st = (struct mw_stream){};
}

static bool take_text(struct mw_stream *st, const char *text)
{
	st->piece = strdup(text);
	st->piece_size = st->piece ? strlen(text) : 0;
	return st->piece;
}

static bool take_lost(struct mw_stream *st, const struct mw_feed *f)
{
	char text[80];

	snprintf(text, sizeof(text), "event: lost\ndata: {\"lost\":%llu}\n\n", f->tail_seq - st->seq);
	if (!take_text(st, text))
		return false;
	st->at = f->tail;
	st->seq = f->tail_seq;
	return true;
}

static bool take_event(struct mw_stream *st, const struct mw_feed *f)
{
	struct head head;

	ring_read(f, st->at, &head, sizeof(head));
	st->piece = malloc(head.size);
	if (!st->piece)
		return false;
	ring_read(f, st->at + sizeof(head), st->piece, head.size);
	st->piece_size = head.size;
	st->at += sizeof(head) + head.size;
	st->seq++;
	return true;
}

/* Past what is not for this reader. Each event is passed once by each stream. */
static void skip_others(struct mw_stream *st, const struct mw_feed *f)
{
	struct head head;

	while (st->reader && st->at >= f->tail && st->at < f->head) {
		ring_read(f, st->at, &head, sizeof(head));
		if (head.owner == st->reader)
			return;
		st->at += sizeof(head) + head.size;
		st->seq++;
	}
}

/* The next piece to send, if there is one. Without memory there is none for now: nothing is skipped. */
static bool next_piece(struct mw_stream *st, const struct mw_feed *f)
{
	st->piece_done = 0;
	if (st->keep_alive) {
		st->keep_alive = false;
		return take_text(st, ": keep-alive\n\n");
	}
	skip_others(st, f);
	if (st->at < f->tail)
		return take_lost(st, f);
	return st->at < f->head && take_event(st, f);
}

size_t mw_stream_read(struct mw_stream *st, const struct mw_feed *f, char *buf, size_t size)
{
	size_t done = 0, n;

	while (done < size && (st->piece || next_piece(st, f))) {
		n = st->piece_size - st->piece_done;
		n = n < size - done ? n : size - done;
		memcpy(buf + done, st->piece + st->piece_done, n);
		done += n;
		st->piece_done += n;
		if (st->piece_done == st->piece_size)
			mw_freep(&st->piece);
	}
	return done;
}
