/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * HTTP/1.x replies and server-sent events, fed in pieces of any size as they come
 * from a socket. In util and not beside the client, since the command line and the fuzzer share it.
 */
#ifndef MW_HTTP_REPLY_H
#define MW_HTTP_REPLY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MW_EVENT_MAX (1U << 20) /* bytes of one event, and of one line of it */

/* A growing text; all zero is an empty one. */
struct mw_text {
	char *data; /* NUL-terminated once something was added */
	size_t size;
	size_t room;
};

void mw_text_free(struct mw_text *t);
/* -EMSGSIZE when it would have more than max bytes, -ENOMEM. */
int mw_text_add(struct mw_text *t, const char *data, size_t size, size_t max);
const char *mw_text_str(const struct mw_text *t); /* "" for an empty one */

/* Gets the body in pieces; 0, or -errno to end the parsing with it. */
typedef int (*mw_body_fn)(const char *data, size_t size, void *arg);

enum mw_reply_state {
	MW_REPLY_STATUS, /* lines ... */
	MW_REPLY_HEADER,
	MW_REPLY_CHUNK_SIZE,
	MW_REPLY_CHUNK_END,
	MW_REPLY_TRAILER, /* ... until here */
	MW_REPLY_BODY, /* left bytes */
	MW_REPLY_CHUNK, /* left bytes */
	MW_REPLY_REST, /* all up to the end of the connection */
	MW_REPLY_DONE,
};

/* Set no_body, fn and arg, leave the rest zero. status and the body are there from state MW_REPLY_BODY on. */
struct mw_reply_parser {
	enum mw_reply_state state;
	unsigned status;
	bool chunked;
	bool has_length;
	bool no_body; /* the answer to HEAD */
	__u64 left;
	size_t lines_size; /* of all lines so far in this part */
	struct mw_text line;
	mw_body_fn fn;
	void *arg;
};

void mw_reply_parser_free(struct mw_reply_parser *p);
/*
 * 0, what fn said, -EPROTO for what is not HTTP, -ENOMEM. After an error it must not be fed again.
 * Bytes behind the reply's end are left alone.
 */
int mw_reply_feed(struct mw_reply_parser *p, const char *data, size_t size);
/* The connection ended: 0 if that was the reply's end too, else -EPROTO. */
int mw_reply_end(const struct mw_reply_parser *p);

/* Gets an event's name ("message" if it has none) and its data; non-zero: no more. */
typedef int (*mw_event_fn)(const char *event, const char *data, void *arg);

/* Server-sent events out of a body that comes in pieces. */
struct mw_event_parser {
	struct mw_text line;
	struct mw_text event;
	struct mw_text data;
	bool has_data;
	bool stopped; /* fn has enough */
	mw_event_fn fn;
	void *arg;
};

void mw_event_parser_free(struct mw_event_parser *p);
/* A mw_body_fn, arg is the parser: -ECANCELED once fn has enough, -EMSGSIZE, -ENOMEM. */
int mw_event_feed(const char *data, size_t size, void *arg);

#endif
