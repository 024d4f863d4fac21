// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "util/http_reply.h"

#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "util/cleanup.h"

#define LINES_MAX 65536 /* status line and headers in sum, or one chunk's size, or the trailers */

void mw_text_free(struct mw_text *t)
{
	mw_freep(&t->data);
}

int mw_text_add(struct mw_text *t, const char *data, size_t size, size_t max)
{
	size_t room = t->room ? t->room : 256;
	char *grown;

	if (size > max - t->size)
		return -EMSGSIZE;
	while (room < t->size + size + 1)
		room *= 2;
	if (room != t->room) {
		grown = realloc(t->data, room);
		if (!grown)
			return -ENOMEM;
		t->data = grown;
		t->room = room;
	}
	memcpy(t->data + t->size, data, size);
	t->size += size;
	t->data[t->size] = '\0';
	return 0;
}

const char *mw_text_str(const struct mw_text *t)
{
	return t->data ? t->data : "";
}

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : ~0U;
}

/* Digits and nothing else, unlike strtoull; less than 2^60, so that sums do not wrap. */
static int parse_number(const char *s, size_t size, unsigned base, __u64 *ret_value)
{
	__u64 value = 0;
	unsigned digit;

	if (!size || size > 15)
		return -EPROTO;
	for (; size; s++, size--) {
		digit = digit_value(*s);
		if (digit >= base)
			return -EPROTO;
		value = value * base + digit;
	}
	*ret_value = value;
	return 0;
}

static int status_line(struct mw_reply_parser *p, const char *line)
{
	__u64 status;

	if (strncmp(line, "HTTP/1.", 7) != 0 || !line[7] || line[8] != ' ' || parse_number(line + 9, 3, 10, &status) ||
	    (line[12] && line[12] != ' ') || status < 100)
		return -EPROTO;
	p->status = (unsigned)status;
	p->state = MW_REPLY_HEADER;
	return 0;
}

/* The headers are over: where does the body end? */
static void begin_body(struct mw_reply_parser *p)
{
	p->lines_size = 0;
	if (p->status < 200) { /* "100 Continue": the answer is still to come */
		p->chunked = p->has_length = false;
		p->state = MW_REPLY_STATUS;
	} else if (p->no_body || p->status == 204 || p->status == 304) {
		p->state = MW_REPLY_DONE;
	} else if (p->chunked) {
		p->state = MW_REPLY_CHUNK_SIZE;
	} else if (p->has_length) {
		p->state = p->left ? MW_REPLY_BODY : MW_REPLY_DONE;
	} else {
		p->state = MW_REPLY_REST;
	}
}

static int header_line(struct mw_reply_parser *p, const char *line)
{
	const char *colon = strchr(line, ':'), *value;
	size_t name = colon ? (size_t)(colon - line) : 0;

	if (!*line) {
		begin_body(p);
		return 0;
	}
	if (!name)
		return -EPROTO;
	value = colon + 1 + strspn(colon + 1, " \t");
	if (name == 17 && !strncasecmp(line, "Transfer-Encoding", name)) {
		p->chunked = !strncasecmp(value, "chunked", 7);
		return p->chunked ? 0 : -EPROTO;
	}
	if (name == 14 && !strncasecmp(line, "Content-Length", name)) {
		p->has_length = true;
		return parse_number(value, strcspn(value, " \t"), 10, &p->left);
	}
	return 0;
}

static int chunk_size_line(struct mw_reply_parser *p, const char *line)
{
	int r = parse_number(line, strcspn(line, " \t;"), 16, &p->left);

	if (r)
		return r;
	p->lines_size = 0;
	p->state = p->left ? MW_REPLY_CHUNK : MW_REPLY_TRAILER;
	return 0;
}

static int one_line(struct mw_reply_parser *p, const char *line)
{
	switch (p->state) {
	case MW_REPLY_STATUS:
		return status_line(p, line);
	case MW_REPLY_HEADER:
		return header_line(p, line);
	case MW_REPLY_CHUNK_SIZE:
		return chunk_size_line(p, line);
	case MW_REPLY_CHUNK_END:
		p->state = MW_REPLY_CHUNK_SIZE;
		return *line ? -EPROTO : 0;
	case MW_REPLY_TRAILER:
		if (!*line)
			p->state = MW_REPLY_DONE;
		return 0;
	default:
		return -EPROTO;
	}
}

/* Takes up to one line out of data; ret: bytes taken. */
static ssize_t feed_line(struct mw_reply_parser *p, const char *data, size_t size)
{
	const char *end = memchr(data, '\n', size);
	size_t taken = end ? (size_t)(end - data) + 1 : size;
	int r;

	p->lines_size += taken;
	if (p->lines_size > LINES_MAX || memchr(data, '\0', taken))
		return -EPROTO;
	r = mw_text_add(&p->line, data, taken, LINES_MAX);
	if (r || !end)
		return r ? r : (ssize_t)taken;
	p->line.data[--p->line.size] = '\0';
	if (p->line.size && p->line.data[p->line.size - 1] == '\r')
		p->line.data[--p->line.size] = '\0';
	p->line.size = 0;
	r = one_line(p, p->line.data);
	return r ? r : (ssize_t)taken;
}

static ssize_t feed_body(struct mw_reply_parser *p, const char *data, size_t size)
{
	size_t taken = p->state == MW_REPLY_REST || size < p->left ? size : p->left;
	int r = p->fn(data, taken, p->arg);

	if (r)
		return r;
	if (p->state == MW_REPLY_REST)
		return (ssize_t)taken;
	p->left -= taken;
	if (!p->left)
		p->state = p->state == MW_REPLY_CHUNK ? MW_REPLY_CHUNK_END : MW_REPLY_DONE;
	return (ssize_t)taken;
}

void mw_reply_parser_free(struct mw_reply_parser *p)
{
	mw_text_free(&p->line);
}

int mw_reply_feed(struct mw_reply_parser *p, const char *data, size_t size)
{
	ssize_t n;

	for (; size && p->state != MW_REPLY_DONE; data += n, size -= (size_t)n) {
		n = p->state <= MW_REPLY_TRAILER ? feed_line(p, data, size) : feed_body(p, data, size);
		if (n < 0)
			return (int)n;
	}
	return 0;
}

int mw_reply_end(const struct mw_reply_parser *p)
{
	return p->state == MW_REPLY_DONE || p->state == MW_REPLY_REST ? 0 : -EPROTO;
}

void mw_event_parser_free(struct mw_event_parser *p)
{
	mw_text_free(&p->line);
	mw_text_free(&p->event);
	mw_text_free(&p->data);
}

static int end_event(struct mw_event_parser *p)
{
	const char *name = p->event.size ? p->event.data : "message";

	if (p->has_data)
		p->stopped = p->fn(name, mw_text_str(&p->data), p->arg);
	p->event.size = p->data.size = 0;
	p->has_data = false;
	return p->stopped ? -ECANCELED : 0;
}

static int event_line(struct mw_event_parser *p, const char *line)
{
	size_t name = strcspn(line, ":");
	const char *value = line + name + (line[name] == ':');
	int r = 0;

	if (!*line)
		return end_event(p);
	value += *value == ' ';
	if (name == 5 && !strncmp(line, "event", name)) {
		p->event.size = 0;
		return mw_text_add(&p->event, value, strlen(value), MW_EVENT_MAX);
	}
	if (name != 4 || strncmp(line, "data", name) != 0)
		return 0; /* a comment, or a field we have no use for */
	if (p->has_data)
		r = mw_text_add(&p->data, "\n", 1, MW_EVENT_MAX);
	p->has_data = true;
	return r ? r : mw_text_add(&p->data, value, strlen(value), MW_EVENT_MAX);
}

int mw_event_feed(const char *data, size_t size, void *arg)
{
	struct mw_event_parser *p = arg;
	const char *end;
	size_t taken;
	int r;

	for (; size; data += taken, size -= taken) {
		end = memchr(data, '\n', size);
		taken = end ? (size_t)(end - data) + 1 : size;
		r = mw_text_add(&p->line, data, taken, MW_EVENT_MAX);
		if (r || !end)
			return r;
		p->line.data[--p->line.size] = '\0';
		if (p->line.size && p->line.data[p->line.size - 1] == '\r')
			p->line.data[--p->line.size] = '\0';
		p->line.size = 0;
		r = event_line(p, p->line.data);
		if (r)
			return r;
	}
	return 0;
}
