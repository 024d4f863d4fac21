/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "recorded.h"

static void on_request(struct mw_request *r, void *guard)
{
	const char *name = mw_request_query(r, "one");

	if (name)
		mw_serve_history(guard, r, mw_worker_by_name(&g.workers, name));
	else
		mw_serve_histories(guard, r, "");
}

static void of_one(void **state)
{
	struct mw_worker *w = add("web", 7, geteuid());
	__u64 now_ns = mw_now_ns() / S * S;
	struct json_object *doc, *mark;
	int status;

	(void)state;
	doc = get("/x?one=web", &status);
	assert_int_equal(status, 200);
	assert_string_equal(text_of(doc, "points"), "[]"); /* nobody has looked yet */
	json_object_put(doc);
	look(w, now_ns - S, 4096);
	mw_track_paused(w->track, 3000000);
	look(w, now_ns, 8192);
	mw_recorder_mark(g.recorder, 7, "lifted", 0, now_ns - S / 2, "at 42.9 MB");
	mw_recorder_mark(g.recorder, 8, "lifted", 0, now_ns, "another one");
	doc = get("/x?one=web", &status);
	assert_int_equal(status, 200);
	assert_string_equal(text_of(doc, "name"), "\"web\"");
	assert_string_equal(text_of(doc, "interval_ms"), "500");
	assert_string_equal(text_of(doc, "columns"),
			    "[\"t_ms\",\"usage_bytes\",\"heap_bytes\",\"bin_bytes\",\"high_bytes\","
			    "\"max_bytes\",\"stalled_ns\"]");
	assert_string_equal(text_of(doc, "points"),
			    "[[-1000,4096,0,0,null,49999872,0],[0,8192,4096,0,null,49999872,3000000]]");
	assert_int_equal(json_object_array_length(json_object_object_get(doc, "marks")), 1);
	mark = json_object_array_get_idx(json_object_object_get(doc, "marks"), 0);
	assert_string_equal(text_of(mark, "t_ms"), "-500");
	assert_string_equal(text_of(mark, "type"), "\"lifted\"");
	assert_string_equal(text_of(mark, "text"), "\"at 42.9 MB\"");
	json_object_put(doc);
	w->track = NULL; /* there was no room for it */
	doc = get("/x?one=web", &status);
	assert_int_equal(status, 200);
	json_object_put(doc);
}

static void lines_of_many(void **state)
{
	struct mw_worker *a = add("a", 1, geteuid()), *b = add("b", 2, geteuid());
	__u64 now_ns = mw_now_ns();
	struct json_object *doc, *list;
	int status, n = 0;

	(void)state;
	for (__u64 i = 0; i < 20; i++) /* the last 10 s, rising */
		look(a, now_ns - (20 - i) * S / 2, (i + 1) * 4096);
	look(b, now_ns - 40 * S, 4096);
	doc = get("/x?workers=b,nobody,a&points=6", &status);
	assert_int_equal(status, 200);
	assert_int_equal(json_object_array_length(json_object_object_get(doc, "workers")), 2);
	list = json_object_object_get(json_object_array_get_idx(json_object_object_get(doc, "workers"), 1),
				      "usage_bytes");
	assert_int_equal(json_object_array_length(list), 6);
	for (size_t i = 0; i < 6; i++)
		n += json_object_array_get_idx(list, i) != NULL;
	assert_in_range(n, 1, 2);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(list, 5)), 20 * 4096);
	list = json_object_object_get(json_object_array_get_idx(json_object_object_get(doc, "workers"), 0),
				      "usage_bytes");
	assert_null(json_object_array_get_idx(list, 5));
	assert_non_null(json_object_array_get_idx(list, 1)); /* 40 s ago, and then not any more */
	assert_null(json_object_array_get_idx(list, 3));
	json_object_put(doc);
}

static void what_is_asked_wrongly(void **state)
{
	static const char *const bad[] = {"/x",
					  "/x?workers=",
					  "/x?workers=a&points=0",
					  "/x?workers=a&points=121",
					  "/x?workers=a&points=5x",
					  "/x?workers=a&points=-1"};
	char many[2048] = "/x?workers=a";
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_object_put(get(bad[i], &status));
		assert_int_equal(status, 400);
	}
	for (int i = 1; i < 200; i++)
		strcat(many, ",b");
	json_object_put(get(many, &status));
	assert_int_equal(status, 200);
	strcat(many, ",c");
	json_object_put(get(many, &status));
	assert_int_equal(status, 400);
}

static void of_others(void **state)
{
	struct json_object *doc;
	int status;

	(void)state;
	if (!geteuid())
		skip(); /* root sees all */
	add("theirs", 1, geteuid() + 1);
	doc = get("/x?workers=theirs", &status);
	assert_string_equal(text_of(doc, "workers"), "[]");
	json_object_put(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_one, start, stop),
		cmocka_unit_test_setup_teardown(lines_of_many, start, stop),
		cmocka_unit_test_setup_teardown(what_is_asked_wrongly, start, stop),
		cmocka_unit_test_setup_teardown(of_others, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
