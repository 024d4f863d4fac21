/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "report/pause.h"
#include "util/clock.h"

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	assert_true(json_object_object_get_ex(o, key, &v));
	return json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void added_up(void **state)
{
	struct mw_pause_stat stats[MW_PAUSE_MAX] = {[MW_PAUSE_OOM] = {.count = 1, .total_ns = 10, .max_ns = 10}};
	struct mw_stalls s = {.rates = {.reclaims_per_min = 40.5, .stalled_share = 0.03125}};
	struct mw_worker w = {.name = "a", .class_name = "tool", .stalls = &s}, quiet = {.name = "b"};
	struct mw_pause_group group = {.name = "tool"};
	struct json_object *o, *oom;

	(void)state;
	stats[MW_PAUSE_OOM].hist[3] = 1;
	mw_pause_group_add(&group, &w, stats);
	stats[MW_PAUSE_OOM].max_ns = 7;
	mw_pause_group_add(&group, &w, stats);
	mw_pause_group_add(&group, &quiet, stats);
	o = mw_json_pause_group(&group);
	assert_string_equal(member(o, "name"), "\"tool\"");
	assert_string_equal(member(o, "workers"), "3");
	assert_string_equal(member(o, "reclaims_per_min"), "81.0");
	assert_string_equal(member(o, "stalled_share"), "0.0625");
	assert_string_equal(member(o, "covered"), "null");
	oom = json_object_object_get(json_object_object_get(o, "kinds"), "oom");
	assert_string_equal(json_object_to_json_string_ext(oom, JSON_C_TO_STRING_PLAIN),
			    "{\"count\":3,\"total_ns\":30,\"max_ns\":10,\"p50_ns\":10,\"p90_ns\":10,\"p99_ns\":10,"
			    "\"hist\":[0,0,0,3]}");
	json_object_put(o);
	group.name[0] = '\0';
	o = mw_json_pause_group(&group);
	assert_string_equal(member(o, "name"), "null");
	json_object_put(o);
	o = mw_json_pauses(&w, stats);
	assert_string_equal(member(o, "reclaims_per_min"), "40.5");
	assert_string_equal(member(o, "stalled_share"), "0.03125");
	json_object_put(o);
}

static void events_say_why(void **state)
{
	struct mw_event e = {.type = MW_EVENT_PAUSE, .kind = MW_PAUSE_MAX_RECLAIM, .duration_ns = 5, .value = 3};
	struct mw_worker w = {.name = "a", .class_name = "tool"}, b = {.name = "b"};
	struct mw_cause cause = {.limit = MW_LIMIT_TREE, .culprit = &b};
	struct json_object *o = mw_json_pause_event(&e, &w, &cause, 0);

	(void)state;
	assert_string_equal(member(o, "type"), "\"pause\"");
	assert_string_equal(member(o, "limit"), "\"tree\"");
	assert_string_equal(member(o, "culprit"), "\"b\"");
	json_object_put(o);
	o = mw_json_pause_event(&e, &w, &(struct mw_cause){0}, 0);
	assert_string_equal(member(o, "limit"), "null");
	assert_string_equal(member(o, "culprit"), "null");
	json_object_put(o);
}

static void last_ones(void **state)
{
	struct mw_event e = {.time_ns = 5 * MW_NS_PER_S,
			     .kind = MW_PAUSE_THRASH,
			     .duration_ns = 7,
			     .value = 2,
			     .tid = 9,
			     .comm = "node\xff"};
	struct mw_worker w = {.name = "a"};
	struct mw_stalls s = {0};
	struct json_object *o = mw_json_last_pauses(&w, 0);

	(void)state;
	assert_int_equal(json_object_array_length(o), 0);
	json_object_put(o);
	w.stalls = &s;
	mw_stalls_note(&s, &e, MW_LIMIT_NONE);
	e.kind = MW_PAUSE_HIGH_RECLAIM;
	mw_stalls_note(&s, &e, MW_LIMIT_WORKER);
	o = mw_json_last_pauses(&w, 95 * (__s64)MW_NS_PER_S);
	assert_int_equal(json_object_array_length(o), 2);
	assert_string_equal(json_object_to_json_string_ext(json_object_array_get_idx(o, 0), JSON_C_TO_STRING_PLAIN),
			    "{\"time\":\"1970-01-01T00:01:40.000Z\",\"kind\":\"thrash\",\"duration_ns\":7,\"pages\":2,"
			    "\"tid\":9,\"comm\":\"node\xef\xbf\xbd\",\"limit\":null}");
	assert_string_equal(member(json_object_array_get_idx(o, 1), "limit"), "\"worker\"");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(added_up),
		cmocka_unit_test(events_say_why),
		cmocka_unit_test(last_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
