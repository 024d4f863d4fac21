// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "../unit.h"

#include "http/stream.h"
#include "util/cleanup.h"

/* The feed alone: small buffers cut events, overrun ones are replaced by the notice, none is half. */
static void feeds_streams(void **state)
{
	struct mw_feed *f = mw_feed_new(200);
	_cleanup_(mw_stream_leave) struct mw_stream st = {};
	char out[1024], data[300];
	size_t n, done = 0;

	(void)state;
	mw_feed_put(f, 0, "before", "not seen");
	mw_stream_join(&st, f, 0);
	mw_feed_put(f, 0, "e\nvil", "two\r\nlines");
	while ((n = mw_stream_read(&st, f, out + done, 3)))
		done += n;
	out[done] = '\0';
	assert_string_equal(out, "event: e\ndata: two\ndata: lines\n\n");
	mw_feed_put(f, 0, "cut", "first");
	assert_int_equal(mw_stream_read(&st, f, out, 10), 10);
	for (int i = 0; i < 100; i++) {
		snprintf(data, sizeof(data), "%d", i);
		mw_feed_put(f, 0, "n", data);
	}
	done = 10 + mw_stream_read(&st, f, out + 10, sizeof(out) - 11);
	out[done] = '\0';
	assert_non_null(strstr(out, "event: cut\ndata: first\n\nevent: lost\ndata: {\"lost\":"));
	assert_non_null(strstr(out, "data: 99\n\n"));
	memset(data, 'x', sizeof(data) - 1);
	data[sizeof(data) - 1] = '\0';
	mw_feed_put(f, 0, "large", data);
	done = mw_stream_read(&st, f, out, sizeof(out) - 1);
	out[done] = '\0';
	assert_string_equal(out, "event: lost\ndata: {\"lost\":1}\n\n");
	mw_feed_free(f);
}

/* Root reads everything, a user what is its own, and is told of what was lost. */
static void others_are_left_out(void **state)
{
	struct mw_feed *f = mw_feed_new(400);
	_cleanup_(mw_stream_leave) struct mw_stream root = {}, user = {}, tcp = {};
	char out[1024];
	size_t n;

	(void)state;
	mw_stream_join(&root, f, 0);
	mw_stream_join(&user, f, 1000);
	mw_stream_join(&tcp, f, (uid_t)-1);
	mw_feed_put(f, 1001, "other", "1");
	mw_feed_put(f, 1000, "mine", "2");
	mw_feed_put(f, 0, "roots", "3");
	n = mw_stream_read(&root, f, out, sizeof(out) - 1);
	out[n] = '\0';
	assert_string_equal(out, "event: other\ndata: 1\n\nevent: mine\ndata: 2\n\nevent: roots\ndata: 3\n\n");
	n = mw_stream_read(&user, f, out, sizeof(out) - 1);
	out[n] = '\0';
	assert_string_equal(out, "event: mine\ndata: 2\n\n");
	assert_int_equal(mw_stream_read(&tcp, f, out, sizeof(out) - 1), 0);
	for (int i = 0; i < 50; i++)
		mw_feed_put(f, 1001, "other", "x");
	mw_feed_put(f, 1000, "mine", "last");
	n = mw_stream_read(&user, f, out, sizeof(out) - 1);
	out[n] = '\0';
	assert_null(strstr(out, "other"));
	assert_non_null(strstr(out, "event: mine\ndata: last\n\n"));
	mw_feed_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_streams),
		cmocka_unit_test(others_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
