// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "../unit.h"

#include "util/cleanup.h"
#include "util/http_reply.h"

static int add_to_text(const char *data, size_t size, void *arg)
{
	return mw_text_add(arg, data, size, 64);
}

/* Feed a reply in pieces of every size; all must come to the same end. */
static void parse(const char *reply, int expected, unsigned status, const char *body)
{
	for (size_t piece = 1; piece <= strlen(reply); piece++) {
		_cleanup_(mw_text_free) struct mw_text text = {};
		_cleanup_(mw_reply_parser_free) struct mw_reply_parser p = {.fn = add_to_text, .arg = &text};
		int r = 0;

		for (size_t at = 0; !r && at < strlen(reply); at += piece)
			r = mw_reply_feed(&p, reply + at, strnlen(reply + at, piece));
		r = r ? r : mw_reply_end(&p);
		if (r != expected)
			print_error("%s\n", reply);
		assert_int_equal(r, expected);
		if (r)
			continue;
		assert_int_equal(p.status, status);
		assert_string_equal(mw_text_str(&text), body);
	}
}

static void parses_replies(void **state)
{
	(void)state;
	parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello");
	parse("HTTP/1.1 200 OK\r\ncontent-length:5 \r\n\r\nhello and more", 0, 200, "hello");
	parse("HTTP/1.0 404\n\nuntil the end", 0, 404, "until the end");
	parse("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 X\r\nContent-Length: 1\r\n\r\nx", 0, 201, "x");
	parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: "
	      "1\r\n\r\n",
	      0, 200, "abc0123456789");
	parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 0, 304, "");
	parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	      "a",
	      -EMSGSIZE, 0, "");
	parse("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n@\r\nabc", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EPROTO, 0, "");
	parse("HTTP/1.1 20\r\n\r\n", -EPROTO, 0, "");
	parse("HTTP/1.1 2000 OK\r\n\r\n", -EPROTO, 0, "");
	parse("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", -EPROTO, 0, "");
	parse("SSH-2.0-OpenSSH\r\n", -EPROTO, 0, "");
	parse("HTTP/1.1", -EPROTO, 0, "");
}

static int join_events(const char *event, const char *data, void *arg)
{
	int r = mw_text_add(arg, event, strlen(event), 1000);

	r |= mw_text_add(arg, "=", 1, 1000) | mw_text_add(arg, data, strlen(data), 1000);
	return mw_text_add(arg, "|", 1, 1000) || r;
}

static void parses_events(void **state)
{
	static const char stream[] = ": hi\n\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata:x\n\nevent: none\n\nid: 3\n"
				     "event: b\ndata\n\nevent: unfinished\ndata: 4\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof(stream); piece++) {
		_cleanup_(mw_text_free) struct mw_text text = {};
		_cleanup_(mw_event_parser_free) struct mw_event_parser p = {.fn = join_events, .arg = &text};

		for (size_t at = 0; at < sizeof(stream) - 1; at += piece)
			assert_int_equal(mw_event_feed(stream + at, strnlen(stream + at, piece), &p), 0);
		assert_string_equal(mw_text_str(&text), "a=1\n2|message=x|b=|");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_replies),
		cmocka_unit_test(parses_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
