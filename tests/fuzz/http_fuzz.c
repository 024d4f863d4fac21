// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Hostile bytes in place of the daemon's answer. The first byte of an input chooses the size of the
 * pieces it arrives in; the rest is the reply. Its body is read as text and as events at once.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iuser
 *	tests/fuzz/http_fuzz.c user/util/http_reply.c
 * Without: gcc -DMW_FUZZ_MAIN, the rest the same; arguments: rounds (20000), seed (1). Same seed, same inputs.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/http_reply.h"

#define BODY_MAX 4096

struct body {
	struct mw_text text;
	struct mw_event_parser events;
	size_t events_size;
};

static int count_event(const char *event, const char *data, void *arg)
{
	struct body *b = arg;

	b->events_size += strlen(event) + strlen(data);
	return b->events_size > BODY_MAX;
}

static int take_body(const char *data, size_t size, void *arg)
{
	struct body *b = arg;
	int r = mw_text_add(&b->text, data, size, BODY_MAX);

	return r ? r : mw_event_feed(data, size, &b->events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body b = {.events = {.fn = count_event, .arg = &b}};
	struct mw_reply_parser p = {.fn = take_body, .arg = &b};
	size_t piece = size ? (size_t)data[0] + 1 : 1, n;
	int r = 0;

	for (size_t at = 1; !r && at < size; at += n) {
		char *copy; /* exactly as large as the piece, so that a read past it is seen */

		n = size - at < piece ? size - at : piece;
		copy = malloc(n);
		if (!copy)
			abort();
		memcpy(copy, data + at, n);
		r = mw_reply_feed(&p, copy, n);
		free(copy);
	}
	if (r > 0 || b.text.size > BODY_MAX || (!r && !mw_reply_end(&p) && p.status < 200 && p.state == MW_REPLY_DONE))
		abort();
	mw_reply_parser_free(&p);
	mw_event_parser_free(&b.events);
	mw_text_free(&b.text);
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

static const char *const seeds[] = {
	"\x10HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"\xffHTTP/1.1 200 OK\r\nTransfer-Encoding: "
	"chunked\r\n\r\n3;x\r\nabc\r\n1A\r\n01234567890123456789012345\r\n0\r\n\r\n",
	"\x03HTTP/1.0 404 Not Found\nX: y\n\nevent: a\ndata: 1\ndata: 2\n\nid: 1\ndata\n\n: c\n\n",
	"\x01HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	"\x40HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	"20\r\nevent: lost\ndata: {\"lost\":12}\n\n\r\n0\r\nTrailer: 1\r\n\r\n",
};

static const char *const words[] = {"\r\n",	  "\n\n", "0\r\n\r\n",	       "Content-Length: ", "data:",
				    "event: x\n", "ffff", "HTTP/1.1 200 \r\n", "chunked",	   "\xff"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
