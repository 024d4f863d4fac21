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
	mw_feed_put(f, "before", "not seen");
	mw_stream_join(&st, f);
	mw_feed_put(f, "e\nvil", "two\r\nlines");
	while ((n = mw_stream_read(&st, f, out + done, 3)))
		done += n;
	out[done] = '\0';
	assert_string_equal(out, "event: e\ndata: two\ndata: lines\n\n");
	mw_feed_put(f, "cut", "first");
	assert_int_equal(mw_stream_read(&st, f, out, 10), 10);
	for (int i = 0; i < 100; i++) {
		snprintf(data, sizeof(data), "%d", i);
		mw_feed_put(f, "n", data);
	}
	done = 10 + mw_stream_read(&st, f, out + 10, sizeof(out) - 11);
	out[done] = '\0';
	assert_non_null(strstr(out, "event: cut\ndata: first\n\nevent: lost\ndata: {\"lost\":"));
	assert_non_null(strstr(out, "data: 99\n\n"));
	memset(data, 'x', sizeof(data) - 1);
	data[sizeof(data) - 1] = '\0';
	mw_feed_put(f, "large", data);
	done = mw_stream_read(&st, f, out, sizeof(out) - 1);
	out[done] = '\0';
	assert_string_equal(out, "event: lost\ndata: {\"lost\":1}\n\n");
	mw_feed_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
