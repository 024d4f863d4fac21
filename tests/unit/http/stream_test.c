// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "../unit.h"

#include "http/stream.h"
#include "util/cleanup.h"

static struct mw_feed *open_feed(size_t size)
{
	struct mw_feed *f = mw_feed_new(size);

	assert_non_null(f);
	assert_int_equal(mw_feed_open(f), 0);
	return f;
}

/* All there is for it, NUL-terminated; piece: how much at a time. */
static const char *read_all(struct mw_stream *st, const struct mw_feed *f, size_t piece)
{
	static char out[8192];
	size_t n, done = 0;

	while ((n = mw_stream_read(st, f, out + done, piece)))
		done += n;
	out[done] = '\0';
	return out;
}

/* Without what differs in each run: the feed's name, and the greeting, which must be there. */
static const char *plain(const char *text)
{
	static char out[8192];
	char *to = out;

	while (*text) {
		if (!strncmp(text, "id: ", 4)) {
			to = stpcpy(to, "id: N");
			text += 4 + strspn(text + 4, "0123456789abcdef");
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
	return out;
}

/* A client's Last-Event-ID after what it has read. */
static const char *last_id(const char *text)
{
	static char id[64];

	for (const char *line = text; (line = strstr(line, "id: ")); line += 4)
		snprintf(id, sizeof(id), "%.*s", (int)strcspn(line + 4, "\n"), line + 4);
	return id;
}

static void join(struct mw_stream *st, const struct mw_feed *f, uid_t reader)
{
	mw_stream_join(st, f, reader, NULL);
	assert_non_null(strstr(read_all(st, f, 100), ": memweir\nretry: 2000\nid: "));
}

/* The feed alone: small buffers cut events, overrun ones are replaced by the notice, none is half. */
static void feeds_streams(void **state)
{
	struct mw_feed *f = open_feed(200);
	_cleanup_(mw_stream_leave) struct mw_stream st = {};
	char out[1024], data[300];
	size_t done;

	(void)state;
	mw_feed_put(f, 0, "before", "not seen");
	join(&st, f, 0);
	mw_feed_put(f, 0, "e\nvil", "two\r\nlines");
	assert_string_equal(plain(read_all(&st, f, 3)), "id: N-2\nevent: e\ndata: two\ndata: lines\n\n");
	mw_feed_put(f, 0, "cut", "first");
	assert_int_equal(mw_stream_read(&st, f, out, 10), 10);
	for (int i = 0; i < 100; i++) {
		snprintf(data, sizeof(data), "%d", i);
		mw_feed_put(f, 0, "n", data);
	}
	done = 10 + mw_stream_read(&st, f, out + 10, sizeof(out) - 11);
	out[done] = '\0';
	assert_non_null(strstr(plain(out), "id: N-3\nevent: cut\ndata: first\n\nid: N-"));
	assert_non_null(strstr(out, "event: lost\ndata: {\"lost\":"));
	assert_non_null(strstr(plain(out), "id: N-103\nevent: n\ndata: 99\n\n"));
	assert_true(st.lost > 80 && st.lost < 100);
	memset(data, 'x', sizeof(data) - 1);
	data[sizeof(data) - 1] = '\0';
	mw_feed_put(f, 0, "large", data);
	assert_string_equal(plain(read_all(&st, f, 100)), "id: N-104\nevent: lost\ndata: {\"lost\":1}\n\n");
	mw_feed_free(f);
}

/* Root reads everything, a user what is its own, and is told of what was lost. */
static void others_are_left_out(void **state)
{
	struct mw_feed *f = open_feed(400);
	_cleanup_(mw_stream_leave) struct mw_stream root = {}, user = {}, nobody = {};
	const char *out;

	(void)state;
	join(&root, f, 0);
	join(&user, f, 1000);
	join(&nobody, f, (uid_t)-1);
	mw_feed_put(f, 1001, "other", "1");
	mw_feed_put(f, 1000, "mine", "2");
	mw_feed_put(f, 0, "roots", "3");
	assert_string_equal(plain(read_all(&root, f, 100)),
			    "id: N-1\nevent: other\ndata: 1\n\nid: N-2\nevent: mine\ndata: 2\n\n"
			    "id: N-3\nevent: roots\ndata: 3\n\n");
	assert_string_equal(plain(read_all(&user, f, 100)), "id: N-2\nevent: mine\ndata: 2\n\n");
	assert_string_equal(read_all(&nobody, f, 100), "");
	/* A client's place moves on with what it may not read: else it would be told of losses that are none. */
	user.keep_alive = true;
	assert_string_equal(plain(read_all(&user, f, 100)), ": keep-alive\nid: N-3\n\n");
	for (int i = 0; i < 50; i++)
		mw_feed_put(f, 1001, "other", "x");
	mw_feed_put(f, 1000, "mine", "last");
	out = read_all(&user, f, 100);
	assert_null(strstr(out, "other"));
	assert_non_null(strstr(out, "event: mine\ndata: last\n\n"));
	mw_feed_free(f);
}

/* Who comes back with the last id goes on behind it, also when nothing had been read but the greeting. */
static void goes_on_where_it_stopped(void **state)
{
	struct mw_feed *f = open_feed(4096);
	struct mw_stream st = {};
	char id[64], early[64];

	(void)state;
	mw_stream_join(&st, f, 0, "");
	snprintf(early, sizeof(early), "%s", last_id(read_all(&st, f, 100)));
	mw_feed_put(f, 0, "e", "1");
	snprintf(id, sizeof(id), "%s", last_id(read_all(&st, f, 100)));
	mw_stream_leave(&st);
	mw_feed_put(f, 7, "e", "2");
	mw_feed_put(f, 8, "e", "3");
	mw_stream_join(&st, f, 0, id);
	assert_string_equal(plain(read_all(&st, f, 5)), ": memweir\nretry: 2000\nid: N-1\n\n"
							"id: N-2\nevent: e\ndata: 2\n\nid: N-3\nevent: e\ndata: 3\n\n");
	mw_stream_leave(&st);
	mw_stream_join(&st, f, 8, id);
	assert_string_equal(plain(read_all(&st, f, 500)),
			    ": memweir\nretry: 2000\nid: N-1\n\nid: N-3\nevent: e\ndata: 3\n\n");
	mw_stream_leave(&st);
	mw_stream_join(&st, f, 0, early);
	assert_non_null(strstr(plain(read_all(&st, f, 500)), "id: N-0\n\nid: N-1\nevent: e\ndata: 1\n\nid: N-2"));
	assert_int_equal(st.lost, 0);
	mw_stream_leave(&st);
	mw_feed_free(f);
}

/* What the feed has dropped, or only counted, is told exactly; after it the stream goes on. */
static void says_what_it_no_longer_has(void **state)
{
	struct mw_feed *f = open_feed(100);
	_cleanup_(mw_stream_leave) struct mw_stream st = {};
	char id[64];

	(void)state;
	mw_stream_join(&st, f, 0, NULL);
	snprintf(id, sizeof(id), "%s", last_id(read_all(&st, f, 100)));
	for (int i = 0; i < 10; i++)
		mw_feed_put(f, 0, "event-of-a-name", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	mw_stream_join(&st, f, 0, id);
	assert_non_null(
		strstr(plain(read_all(&st, f, 100)), "id: N-9\nevent: lost\ndata: {\"lost\":9}\n\nid: N-10\nevent"));
	mw_feed_close(f);
	assert_false(mw_feed_is_open(f));
	mw_feed_put(f, 0, "e", "counted");
	mw_feed_pass(f);
	assert_int_equal(mw_feed_open(f), 0);
	mw_feed_put(f, 0, "e", "13");
	mw_stream_join(&st, f, 0, id);
	assert_non_null(strstr(plain(read_all(&st, f, 100)),
			       "id: N-12\nevent: lost\ndata: {\"lost\":12}\n\nid: N-13\nevent: e\ndata: 13\n\n"));
	mw_feed_free(f);
}

/* An id of a daemon that is gone, of a number that was never given, or none at all: everything there is, and a word. */
static void another_daemons_id(void **state)
{
	struct mw_feed *f = open_feed(1000), *gone = open_feed(100);
	struct mw_stream st = {};
	char id[64], wrong[5][100];

	(void)state;
	mw_feed_put(gone, 0, "e", "1");
	mw_stream_join(&st, gone, 0, NULL);
	snprintf(wrong[0], sizeof(wrong[0]), "%s", last_id(read_all(&st, gone, 100)));
	mw_feed_free(gone);
	mw_feed_put(f, 0, "e", "1");
	mw_stream_join(&st, f, 0, NULL);
	snprintf(id, sizeof(id), "%s", last_id(read_all(&st, f, 100)));
	snprintf(wrong[1], sizeof(wrong[1]), "%.17s2", id);
	snprintf(wrong[2], sizeof(wrong[2]), "%.17s99999999999999999999999999999999", id);
	snprintf(wrong[3], sizeof(wrong[3]), "%.17s-1", id);
	snprintf(wrong[4], sizeof(wrong[4]), "%sx", id);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		mw_stream_join(&st, f, 0, wrong[i]);
		assert_string_equal(plain(read_all(&st, f, 100)),
				    ": memweir\nretry: 2000\nid: N-0\n\n"
				    "id: N-0\nevent: lost\ndata: {\"lost\":0,\"restarted\":true}\n\n"
				    "id: N-1\nevent: e\ndata: 1\n\n");
	}
	mw_feed_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_streams),
		cmocka_unit_test(others_are_left_out),
		cmocka_unit_test(goes_on_where_it_stopped),
		cmocka_unit_test(says_what_it_no_longer_has),
		cmocka_unit_test(another_daemons_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
