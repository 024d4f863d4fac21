// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "http/stream.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define NAME_SIZE 17 /* 64 bits in hexadecimal */
#define FIRST	  1 /* the first event's number: "NAME-0" is before all of them */
#define RETRY_MS  2000 /* a browser that lost its connection comes back after that */

/*
 * A ring of records, each a head and as many bytes as it says, both wrapped at the end. Offsets only
 * grow: bytes[offset % size]. At 1 GB/s they wrap after five hundred years.
 */
struct mw_feed {
	size_t size;
	__u64 head; /* where the next record goes */
	__u64 tail; /* the oldest record */
	__u64 head_seq; /* number of the next event */
	__u64 tail_seq; /* of the oldest that is kept */
	char name[NAME_SIZE];
	char *bytes; /* NULL: not open */
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
	struct mw_feed *f = calloc(1, sizeof(*f));
	__u64 name = 0;

	if (!f)
		return NULL;
	/* Two runs of a daemon must differ; nobody has to guess it. Early in the boot it is the address that differs.
	 */
	if (getrandom(&name, sizeof(name), GRND_NONBLOCK) != sizeof(name))
		name = mw_wall_ns() ^ (__u64)(uintptr_t)f;
	snprintf(f->name, sizeof(f->name), "%016llx", name);
	f->size = size;
	f->head_seq = f->tail_seq = FIRST;
	return f;
}

void mw_feed_free(struct mw_feed *f)
{
	if (f)
		mw_feed_close(f);
	free(f);
}

int mw_feed_open(struct mw_feed *f)
{
	if (!f->bytes)
		f->bytes = malloc(f->size);
	return f->bytes ? 0 : -ENOMEM;
}

void mw_feed_close(struct mw_feed *f)
{
	mw_freep(&f->bytes);
	f->tail = f->head;
	f->tail_seq = f->head_seq;
}

bool mw_feed_is_open(const struct mw_feed *f)
{
	return f->bytes;
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

void mw_feed_pass(struct mw_feed *f)
{
	f->head_seq++;
	/* A hole cannot be written down: what is older goes too, and a reader behind it is told of all. */
	f->tail = f->head;
	f->tail_seq = f->head_seq;
}

void mw_feed_put(struct mw_feed *f, uid_t owner, const char *event, const char *data)
{
	struct pen measure = {}, p = {.f = f};
	struct head head = {.owner = owner};

	if (!f->bytes) {
		mw_feed_pass(f);
		return;
	}
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

/* "NAME-NUMBER" of this feed, and of an event it has had: the number of the one after it. */
static bool parse_id(const struct mw_feed *f, const char *id, __u64 *ret_seq)
{
	size_t name = strlen(f->name);
	char *end;
	__u64 seq;

	if (strncmp(id, f->name, name) != 0 || id[name] != '-' || id[name + 1] < '0' || id[name + 1] > '9')
		return false;
	errno = 0;
	seq = strtoull(id + name + 1, &end, 10);
	if (errno || *end || seq >= f->head_seq)
		return false;
	*ret_seq = seq + 1;
	return true;
}

static void go_to(struct mw_stream *st, const struct mw_feed *f, __u64 seq)
{
	struct head head;

	st->seq = seq;
	st->at = f->tail;
	for (__u64 n = f->tail_seq; n < seq; n++) {
		ring_read(f, st->at, &head, sizeof(head));
		st->at += sizeof(head) + head.size;
	}
}

void mw_stream_join(struct mw_stream *st, const struct mw_feed *f, uid_t reader, const char *after)
{
	__u64 seq;

	*st = (struct mw_stream){.reader = reader, .at = f->head, .seq = f->head_seq, .greet = true};
	if (!after || !*after)
		return;
	st->restarted = !parse_id(f, after, &seq);
	go_to(st, f, st->restarted ? FIRST : seq);
}

void mw_stream_leave(struct mw_stream *st)
{
	free(st->piece);
	*st = (struct mw_stream){};
}

/* Where the stream is, as a field: the last event it has had. */
static int id_line(const struct mw_stream *st, const struct mw_feed *f, char *buf, size_t size)
{
	return snprintf(buf, size, "id: %s-%llu\n", f->name, st->seq - 1);
}

static bool take_text(struct mw_stream *st, const char *text)
{
	st->piece = strdup(text);
	st->piece_size = st->piece ? strlen(text) : 0;
	return st->piece;
}

/* An id without data is no event to a client, but what it says when it comes back. */
static bool take_place(struct mw_stream *st, const struct mw_feed *f)
{
	char text[128], id[64];

	id_line(st, f, id, sizeof(id));
	if (st->greet)
		snprintf(text, sizeof(text), ": memweir\nretry: %d\n%s\n", RETRY_MS, id);
	else
		snprintf(text, sizeof(text), ": keep-alive\n%s\n", id);
	if (!take_text(st, text))
		return false;
	st->greet = st->keep_alive = false;
	return true;
}

static bool take_lost(struct mw_stream *st, const struct mw_feed *f)
{
	struct mw_stream behind = {.seq = st->seq < f->tail_seq ? f->tail_seq : st->seq};
	__u64 lost = behind.seq - st->seq;
	char text[160], id[64];

	id_line(&behind, f, id, sizeof(id));
	snprintf(text, sizeof(text), "%sevent: lost\ndata: {\"lost\":%llu%s}\n\n", id, lost,
		 st->restarted ? ",\"restarted\":true" : "");
	if (!take_text(st, text))
		return false;
	st->restarted = false;
	st->lost += lost;
	if (lost)
		st->at = f->tail;
	st->seq = behind.seq;
	return true;
}

static bool take_event(struct mw_stream *st, const struct mw_feed *f)
{
	const struct mw_stream behind = {.seq = st->seq + 1};
	struct head head;
	char id[64];
	int n = id_line(&behind, f, id, sizeof(id));

	ring_read(f, st->at, &head, sizeof(head));
	st->piece = malloc((size_t)n + head.size);
	if (!st->piece)
		return false;
	memcpy(st->piece, id, (size_t)n);
	ring_read(f, st->at + sizeof(head), st->piece + n, head.size);
	st->piece_size = (size_t)n + head.size;
	st->at += sizeof(head) + head.size;
	st->seq++;
	return true;
}

/* Past what is not for this reader. Each event is passed once by each stream. */
static void skip_others(struct mw_stream *st, const struct mw_feed *f)
{
	struct head head;

	while (st->reader && st->seq >= f->tail_seq && st->seq < f->head_seq) {
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
	if (st->greet || st->keep_alive)
		return take_place(st, f);
	if (st->restarted)
		return take_lost(st, f);
	skip_others(st, f);
	if (st->seq < f->tail_seq)
		return take_lost(st, f);
	return st->seq < f->head_seq && take_event(st, f);
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
