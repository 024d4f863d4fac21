/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What top makes of the daemon's lines: workers, their past, what of them needs attention, in which order. */
#include "top_fixture.h"

static struct mw_top m;

static int teardown(void **state)
{
	(void)state;
	mw_top_free(&m);
	return 0;
}

static void names(char *buf, size_t size)
{
	mw_top_order(&m);
	buf[0] = '\0';
	for (size_t i = 0; i < m.n_rows; i++)
		snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", i ? " " : "", m.rows[i]->name);
}

static void expect(const char *expected)
{
	char found[512];

	names(found, sizeof(found));
	assert_string_equal(found, expected);
}

static void test_columns(void **state)
{
	const struct mw_top_worker *w;

	(void)state;
	mw_top_init(&m);
	/* Others first, and one more than is known here; levels and verdicts in another order. */
	assert_int_equal(
		mw_top_live(
			&m,
			"{\"t\":1700000000000,\"full\":true,\"columns\":[\"flags\",\"news\",\"level\",\"verdict\","
			"\"cgroup_id\",\"usage_bytes\",\"max_bytes\",\"high_bytes\"],\"levels\":[\"critical\",\"ok\"],"
			"\"verdicts\":[\"leak\",\"steady\"],\"rows\":[[5,\"x\",0,0,77,123,null,1000]],\"gone\":[]}"),
		0);
	w = mw_top_find(&m, 77);
	assert_non_null(w);
	assert_int_equal(w->usage, 123);
	assert_true(w->max == MW_UNLIMITED);
	assert_int_equal(w->high, 1000);
	assert_int_equal(w->level, MW_LEVEL_CRITICAL);
	assert_int_equal(w->verdict, MW_LEAK);
	assert_int_equal(w->flags, MW_TOP_FROZEN | MW_TOP_HIBERNATED);
}

static void test_no_lines(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "null", "{\"t\":1}", "{\"rows\":[]}", "{\"t\":0,\"rows\":[]}", "{\"t\":-5,\"rows\":[]}"};
	/* Rows that make no sense are left out, or read as nothing. */
	static const char *const odd[] = {"[]",
					  "null",
					  "7",
					  "[\"x\"]",
					  "[0,1,2]",
					  "[-3,1]",
					  "{\"a\":1}",
					  "[5]",
					  "[5,-1,-1,-1,-1,-1,-1,99,99,-1,-1]",
					  "[5,[],{},null,\"\",\"\",\"x\",\"y\",[],{},\"z\"]"};

	(void)state;
	mw_top_init(&m);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(mw_top_live(&m, bad[i]), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		assert_int_equal(live(&m, 0, odd[i], "\"x\",null,12,[]"), 0);
	assert_int_equal(m.n_workers, 1); /* 5 */
	mw_top_order(&m);
}

static void test_past(void **state)
{
	struct mw_top_worker *w;
	struct json_object *doc;

	(void)state;
	mw_top_init(&m);
	live(&m, 0, "[5,100,0,0,0,0,0,0,0,0,0]", "");
	live(&m, 1, "", ""); /* unchanged */
	live(&m, 2, "[5,300,0,0,0,0,0,0,0,0,0]", "");
	w = mw_top_find(&m, 5);
	assert_int_equal(mw_top_ago(&m, w->past, 0), 300);
	assert_int_equal(mw_top_ago(&m, w->past, 1), 100);
	assert_int_equal(mw_top_ago(&m, w->past, 2), 100);
	assert_true(mw_top_ago(&m, w->past, 3) == MW_TOP_NONE);
	assert_true(mw_top_growth(&m, w) == 100);
	/* What was before top began, at two points a second; what was seen stays. */
	doc = json_tokener_parse(
		"{\"workers\":[{\"cgroup_id\":5,\"interval_ms\":500,"
		"\"usage_bytes\":[40,50,null,70,1,1,1,1,1]},{\"cgroup_id\":6,\"usage_bytes\":[1]},{}]}");
	mw_top_history(&m, doc);
	json_object_put(doc);
	assert_int_equal(mw_top_ago(&m, w->past, 2), 100);
	assert_true(mw_top_ago(&m, w->past, 3) == MW_TOP_NONE);
	assert_int_equal(mw_top_ago(&m, w->past, 4), 40);
	/* While the daemon was away nothing is known. */
	mw_top_away(&m);
	live(&m, 6, "[5,400,0,0,0,0,0,0,0,0,0]", "");
	assert_int_equal(mw_top_ago(&m, w->past, 0), 400);
	assert_true(mw_top_ago(&m, w->past, 1) == MW_TOP_NONE);
	assert_true(mw_top_ago(&m, w->past, 3) == MW_TOP_NONE);
	assert_int_equal(mw_top_ago(&m, w->past, 4), 300);
	/* A clock that was set back: the line goes on. */
	live(&m, 0, "[5,500,0,0,0,0,0,0,0,0,0]", "");
	assert_int_equal(mw_top_ago(&m, w->past, 0), 500);
}

static void test_stalls(void **state)
{
	(void)state;
	mw_top_init(&m);
	for (unsigned s = 0; s <= 20; s++) {
		char row[128];

		snprintf(row, sizeof(row), "[5,1,0,0,0,0,0,0,0,%u00000000,0]", s); /* a tenth of each second */
		live(&m, s, row, "");
	}
	assert_true(mw_top_find(&m, 5)->stalled_share > 0.099 && mw_top_find(&m, 5)->stalled_share < 0.101);
}

static void test_gone(void **state)
{
	(void)state;
	six(&m);
	assert_int_equal(m.n_workers, 6);
	live(&m, 60, "", "12,99");
	assert_null(mw_top_find(&m, 12));
	expect("full web-7 maybe slow free");
	/* Whom no full list has named for long is gone, though nobody said so. */
	live(&m, 80, "[11,1,0,0,null,null,0,0,0,0,0]", "");
	live(&m, 90, "", "");
	assert_int_equal(m.n_workers, 1);
	assert_int_equal(m.n_unnamed, 0);
}

static void test_listed(void **state)
{
	(void)state;
	mw_top_init(&m);
	/* Without a stream the list is all there is. */
	listed(&m,
	       "{\"workers\":[{\"name\":\"a\",\"class\":\"tool\",\"cgroup_id\":1,\"usage_bytes\":5,\"percent\":97,"
	       "\"level\":\"critical\",\"verdict\":\"leak\",\"frozen\":true,\"stalled_share\":0.5,\"not_in_force\":{}},"
	       "{\"name\":\"\",\"cgroup_id\":2},{\"cgroup_id\":3},{}],\"budget_bytes\":7}",
	       true);
	assert_int_equal(m.n_workers, 1);
	assert_int_equal(m.workers[0]->flags, MW_TOP_FROZEN | MW_TOP_NOT_IN_FORCE);
	assert_int_equal(m.workers[0]->verdict, MW_LEAK);
	assert_int_equal(m.host.budget, 7);
	listed(&m, "{\"workers\":[],\"budget_bytes\":null}", true);
	assert_int_equal(m.n_workers, 1); /* of the same moment: told by a later one */
	assert_true(m.host.budget == MW_UNLIMITED);
	/* With one, its figures count and the names are taken. */
	live(&m, 1, "[1,900,0,0,null,null,10,0,0,0,0]", "");
	listed(&m, "{\"workers\":[{\"name\":\"b\",\"class\":\"c\",\"cgroup_id\":1,\"usage_bytes\":5,\"frozen\":true}]}",
	       false);
	assert_int_equal(m.workers[0]->usage, 900);
	assert_int_equal(m.workers[0]->flags, 0);
	assert_string_equal(m.workers[0]->name, "b");
}

static void test_sort(void **state)
{
	static const struct {
		const char *key, *rows, *reversed;
	} cases[] = {
		{"attention", "full web-7 maybe cold slow free", "free slow cold maybe web-7 full"},
		{"usage", "full web-7 slow free cold maybe", "maybe cold free slow web-7 full"},
		{"percent", "full web-7 slow cold maybe free", "free maybe cold slow web-7 full"},
		{"growth", "web-7 cold free full maybe slow", "cold free full maybe slow web-7"},
		{"stalls", "slow cold free full maybe web-7", "cold free full maybe web-7 slow"},
		{"name", "cold free full maybe slow web-7", "web-7 slow maybe full free cold"},
		{"class", "full free cold maybe web-7 slow", "slow cold maybe web-7 free full"},
	};

	(void)state;
	six(&m);
	assert_int_equal(ARRAY_SIZE(cases), MW_TOP_SORT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(mw_top_sort_parse(cases[i].key, &m.sort), 0);
		assert_string_equal(mw_top_sort_name(m.sort), cases[i].key);
		expect(cases[i].rows);
		m.reverse = true;
		expect(cases[i].reversed);
		m.reverse = false;
	}
	assert_int_equal(mw_top_sort_parse("size", &m.sort), -EINVAL);
}

/* Of two leaks the one that meets its limit first. */
static void test_time_to_limit(void **state)
{
	struct json_object *doc;

	(void)state;
	six(&m);
	live(&m, 60, "[11,20000000,0,0,null,null,40,0,3,0,0],[12,20000000,0,0,null,null,40,0,3,0,0]", "");
	expect("full cold web-7 maybe slow free");
	doc = json_tokener_parse("{\"cgroup_id\":11,\"time_to_limit_s\":51.2}");
	mw_top_levelled(&m, doc, T0_MS);
	json_object_put(doc);
	doc = json_tokener_parse("{\"cgroup_id\":12,\"time_to_limit_s\":900}");
	mw_top_levelled(&m, doc, T0_MS);
	json_object_put(doc);
	expect("full web-7 cold maybe slow free");
	doc = json_tokener_parse("{\"cgroup_id\":11,\"time_to_limit_s\":null}");
	mw_top_levelled(&m, doc, T0_MS);
	json_object_put(doc);
	expect("full cold web-7 maybe slow free");
}

static void test_filter(void **state)
{
	(void)state;
	six(&m);
	strcpy(m.filter, "OO");
	expect("web-7 maybe cold"); /* the class tool, in any case */
	strcpy(m.filter, "leak");
	expect("web-7");
	strcpy(m.filter, "frozen");
	expect("cold");
	strcpy(m.filter, "nobody");
	expect("");
	m.filter[0] = '\0';
	mw_top_next_class(&m);
	assert_string_equal(m.only_class, "context");
	expect("full");
	mw_top_next_class(&m);
	mw_top_next_class(&m);
	assert_string_equal(m.only_class, "tool");
	expect("web-7 maybe cold");
	mw_top_next_class(&m);
	mw_top_next_class(&m);
	assert_string_equal(m.only_class, "");
	expect("full web-7 maybe cold slow free");
}

static void test_many(void **state)
{
	char row[64];

	(void)state;
	mw_top_init(&m);
	for (unsigned i = 1000; i > 0; i--) {
		snprintf(row, sizeof(row), "[%u,%u,0,0,null,null,0,0,0,0,0]", i * 7, i);
		live(&m, 0, row, "");
	}
	assert_int_equal(m.n_workers, 1000);
	assert_int_equal(m.n_unnamed, 1000);
	for (unsigned i = 1; i <= 1000; i++)
		assert_int_equal(mw_top_find(&m, i * 7)->usage, i);
	m.sort = MW_TOP_BY_USAGE;
	mw_top_order(&m);
	assert_int_equal(m.rows[0]->usage, 1000);
	assert_int_equal(m.rows[999]->usage, 1);
	assert_int_equal(mw_top_sums(&m).usage, 500500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_columns, teardown),
		cmocka_unit_test_teardown(test_no_lines, teardown),
		cmocka_unit_test_teardown(test_past, teardown),
		cmocka_unit_test_teardown(test_stalls, teardown),
		cmocka_unit_test_teardown(test_gone, teardown),
		cmocka_unit_test_teardown(test_listed, teardown),
		cmocka_unit_test_teardown(test_sort, teardown),
		cmocka_unit_test_teardown(test_time_to_limit, teardown),
		cmocka_unit_test_teardown(test_filter, teardown),
		cmocka_unit_test_teardown(test_many, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
