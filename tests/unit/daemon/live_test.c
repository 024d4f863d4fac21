/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Rows of all workers for who follows: all of them first, then what changes; in turns, in parts, each owner's apart. */
#include "recorded.h"

#define T0 (5000 * S)

static void on_request(struct mw_request *r, void *guard)
{
	mw_request_stream(r, MW_TOPIC_LIVE);
	mw_live_join(guard);
}

static int follow(void)
{
	__u64 end_ns = mw_now_ns() + 20 * S;
	size_t before = mw_server_streams(g.server, MW_TOPIC_LIVE);
	int fd = connected("/v1/live");

	while (mw_server_streams(g.server, MW_TOPIC_LIVE) == before) {
		assert_true(mw_now_ns() < end_ns);
		mw_server_run(g.server);
	}
	return fd;
}

/* The events of one round, as they arrive; the turns it took. */
static unsigned round_at(int fd, __u64 now_ns, struct json_object *events[64], size_t *ret_n)
{
	unsigned turns = 1;
	size_t size = 0, before;

	*ret_n = 0;
	mw_live_sampled(&g, now_ns);
	for (; mw_live_under_way(&g); turns++)
		mw_live_turn(&g);
	do {
		before = size;
		take(fd, &size);
	} while (size > before);
	for (char *at = strstr(reply, "event: workers\n"); at; at = strstr(at + 1, "event: workers\n")) {
		char *data = strstr(at, "data: ") + 6, *end = strchr(data, '\n');

		assert_in_range(end - data, 1, 64 << 10);
		*end = '\0';
		events[*ret_n] = json_tokener_parse(data);
		assert_non_null(events[*ret_n]);
		*end = '\n';
		++*ret_n;
	}
	return turns;
}

static struct json_object *only(int fd, __u64 now_ns)
{
	struct json_object *events[64];
	size_t n;

	round_at(fd, now_ns, events, &n);
	assert_int_equal(n, 1);
	return events[0];
}

static void all_first_then_what_changes(void **state)
{
	uid_t me = geteuid();
	struct mw_worker *a = add("a", 7, me), *b = add("b", 9, me);
	_cleanup_close_ int fd = -1;
	struct json_object *e, *events[64];
	size_t n;

	(void)state;
	look(a, T0, 8192);
	look(b, T0, 4096);
	mw_live_sampled(&g, T0);
	assert_null(g.live); /* nobody follows: nothing is made */
	fd = follow();
	e = only(fd, T0);
	assert_string_equal(text_of(e, "full"), "true");
	assert_string_equal(text_of(e, "rows"), "[[7,8192,4096,0,null,50000000,0.00,0,0,0,0],"
						"[9,4096,2048,0,null,50000000,0.00,0,0,0,0]]");
	assert_int_equal(json_object_array_length(json_object_object_get(e, "columns")), 11);
	assert_string_equal(text_of(e, "levels"), "[\"ok\",\"warning\",\"hibernate-now\",\"critical\"]");
	assert_string_equal(text_of(e, "gone"), "[]");
	json_object_put(e);
	round_at(fd, T0 + S / 2, events, &n);
	assert_int_equal(n, 0); /* at most once a second */
	b->check.percent = 87.506;
	b->level = MW_LEVEL_WARNING;
	b->trend.verdict = MW_LEAK;
	b->squeeze.lifted = b->dry_run = true;
	mw_track_paused(b->track, 4711);
	e = only(fd, T0 + S);
	assert_string_equal(text_of(e, "full"), "false");
	assert_string_equal(text_of(e, "rows"), "[[9,4096,2048,0,null,50000000,87.51,1,3,4711,18]]");
	assert_null(json_object_object_get(e, "columns"));
	json_object_put(e);
	mw_live_gone(&g, a);
	mw_worker_remove(&g.workers, a);
	e = only(fd, T0 + 2 * S);
	assert_string_equal(text_of(e, "rows"), "[]");
	assert_string_equal(text_of(e, "gone"), "[7]");
	json_object_put(e);
	e = only(fd, T0 + 10 * S);
	assert_string_equal(text_of(e, "full"), "true"); /* every ten seconds */
	assert_string_equal(text_of(e, "gone"), "[]");
	json_object_put(e);
}

static void many_in_turns_and_parts(void **state)
{
	uid_t me = geteuid();
	struct json_object *events[64], *rows;
	_cleanup_close_ int fd = -1;
	size_t n, sum = 0;
	char name[16];

	(void)state;
	for (__u64 i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "w-%llu", i);
		look(add(name, 1000000 + i, me), T0, 40000000 + i);
	}
	fd = follow();
	g.turn_ns = 1; /* one row, however fast the machine is */
	assert_in_range(round_at(fd, T0, events, &n), MANY, MANY + 1);
	assert_in_range(n, 4, 16);
	for (size_t i = 0; i < n; i++) {
		rows = json_object_object_get(events[i], "rows");
		sum += json_object_array_length(rows);
		assert_int_equal(json_object_get_int(json_object_object_get(events[i], "part")), i);
		assert_int_equal(json_object_get_int(json_object_object_get(events[i], "parts")), n);
		json_object_put(events[i]);
	}
	assert_int_equal(sum, MANY);
	round_at(fd, T0 + S, events, &n);
	assert_int_equal(n, 1); /* nothing has changed */
	json_object_put(events[0]);
}

static void owners_apart(void **state)
{
	struct json_object *events[64];
	_cleanup_close_ int fd = -1;
	struct mw_worker *theirs;
	size_t n;

	(void)state;
	if (geteuid())
		skip(); /* root alone sees all of them */
	look(add("roots", 1, 0), T0, 4096);
	theirs = add("theirs", 2, 1000);
	look(theirs, T0, 4096);
	fd = follow();
	round_at(fd, T0, events, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(json_object_get_int(json_object_object_get(events[i], "owner")), i ? 1000 : 0);
		assert_int_equal(json_object_array_length(json_object_object_get(events[i], "rows")), 1);
		json_object_put(events[i]);
	}
	mw_live_gone(&g, theirs); /* the last of that owner */
	mw_worker_remove(&g.workers, theirs);
	round_at(fd, T0 + S, events, &n);
	assert_int_equal(n, 2);
	assert_string_equal(text_of(events[1], "gone"), "[2]");
	json_object_put(events[0]);
	json_object_put(events[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_first_then_what_changes, start, stop),
		cmocka_unit_test_setup_teardown(many_in_turns_and_parts, start, stop),
		cmocka_unit_test_setup_teardown(owners_apart, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
