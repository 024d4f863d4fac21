/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Figures of workers: as the library writes them, as the daemon reads and shows them, and what it refuses. */
#include "../unit.h"

#include <errno.h>

#include "report/json_figures.h"
#include "util/clock.h"

static struct mw_figures some(void)
{
	struct mw_figures f = {.n_pools = 2, .n_limiters = 1, .has_requests = true};

	strcpy(f.pools[0].name, "rx");
	f.pools[0].values[MW_POOL_BUFFERS] = 1000;
	f.pools[0].values[MW_POOL_IN_USE] = 7;
	f.pools[0].values[MW_POOL_EXHAUSTIONS] = 2;
	strcpy(f.pools[1].name, "text");
	f.pools[1].bytes = true;
	f.pools[1].values[MW_POOL_MEMORY] = 8192;
	f.pools[1].values[MW_POOL_DROPPED] = 3;
	strcpy(f.limiters[0].name, "heap");
	f.limiters[0].values[MW_LIMITER_MAX] = 50000000;
	f.requests.values[MW_REQUEST_OPEN] = 4;
	mw_figure_count(&f.requests.histograms[MW_REQUEST_DURATION], MW_REQUEST_DURATION, MW_NS_PER_MS);
	mw_figure_count(&f.requests.histograms[MW_REQUEST_DURATION], MW_REQUEST_DURATION, MW_NS_PER_MS + 1);
	mw_figure_count(&f.requests.histograms[MW_REQUEST_DURATION], MW_REQUEST_DURATION, 11 * MW_NS_PER_S);
	return f;
}

static void there_and_back(void **state)
{
	struct mw_figures f = some(), again;
	char text[MW_FIGURES_TEXT_MAX];
	struct mw_error err = {0};
	struct json_object *o;

	(void)state;
	assert_true(mw_figures_text(&f, text, sizeof(text)) > 0);
	o = json_tokener_parse(text);
	assert_non_null(o);
	memset(&again, 0x5a, sizeof(again));
	assert_int_equal(mw_json_figures_read(o, &again, &err), 0);
	json_object_put(o);
	assert_memory_equal(&again, &f, sizeof(f));
	assert_int_equal(again.requests.histograms[MW_REQUEST_DURATION].counts[0], 1);
	assert_int_equal(again.requests.histograms[MW_REQUEST_DURATION].counts[1], 1);
	assert_int_equal(again.requests.histograms[MW_REQUEST_DURATION].counts[MW_FIGURES_BUCKETS - 1], 1);
	assert_int_equal(mw_figure_counted(&again.requests.histograms[MW_REQUEST_DURATION]), 3);
	assert_int_equal(mw_figures_text(&f, text, 100), -EMSGSIZE);
}

/* Every number as long as it gets, every name too: it still fits what the library has for it. */
static void the_largest(void **state)
{
	char text[MW_FIGURES_TEXT_MAX];
	struct mw_figures f;

	(void)state;
	memset(&f, 0xff, sizeof(f));
	f.n_pools = MW_FIGURES_POOLS;
	f.n_limiters = MW_FIGURES_LIMITERS;
	f.has_requests = true;
	for (unsigned int i = 0; i < MW_FIGURES_POOLS; i++) {
		f.pools[i].bytes = false;
		memset(f.pools[i].name, 'a', MW_FIGURES_NAME - 1);
		f.pools[i].name[MW_FIGURES_NAME - 1] = '\0';
	}
	for (unsigned int i = 0; i < MW_FIGURES_LIMITERS; i++) {
		memset(f.limiters[i].name, 'b', MW_FIGURES_NAME - 1);
		f.limiters[i].name[MW_FIGURES_NAME - 1] = '\0';
	}
	assert_true(mw_figures_text(&f, text, sizeof(text)) > 4000);
}

static void refused(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"{\"pools\":7}", "\"pools\": expected a list of at most 8"},
		{"{\"pools\":[{},{},{},{},{},{},{},{},{}]}", "at most 8"},
		{"{\"limiters\":[1,2,3,4,5]}", "at most 4"},
		{"{\"pools\":[7]}", "number 1: expected \"name\""},
		{"{\"pools\":[null]}", "number 1: expected \"name\""},
		{"{\"pools\":[{\"name\":\"a\"},{\"name\":\"b c\"}]}", "number 2: expected \"name\""},
		{"{\"pools\":[{\"name\":\"\"}]}", "expected \"name\""},
		{"{\"pools\":[{\"name\":\"abcdefghijabcdefghijabcdefghijab\"}]}", "1 to 31 letters"},
		{"{\"pools\":[{\"name\":\"a\"},{\"name\":\"a\",\"bytes\":true}]}", "the name a is there twice"},
		{"{\"limiters\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "the name a is there twice"},
		{"{\"pools\":[{\"name\":\"a\",\"in_use\":-1}]}", "a: \"in_use\": expected a whole number"},
		{"{\"pools\":[{\"name\":\"a\",\"in_use\":1.5}]}", "a whole number"},
		{"{\"pools\":[{\"name\":\"a\",\"in_use\":\"1\"}]}", "a whole number"},
		{"{\"pools\":[{\"name\":\"a\",\"in_use\":18446744073709551615}]}", "a whole number"},
		{"{\"limiters\":[{\"name\":\"l\",\"max_bytes\":null}]}", "l: \"max_bytes\""},
		{"{\"requests\":[]}", "\"requests\": expected an object"},
		{"{\"requests\":{\"duration_ns\":{\"sum\":1}}}", "\"counts\", a list of 8"},
		{"{\"requests\":{\"duration_ns\":{\"counts\":[1,2]}}}", "\"counts\", a list of 8"},
		{"{\"requests\":{\"growth_bytes\":{\"counts\":[0,0,0,0,0,0,0,\"x\"]}}}", "no whole number"},
		{"{\"requests\":{\"growth_bytes\":{\"counts\":[0,0,0,0,0,0,0,-2]}}}", "no whole number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mw_figures f = {.n_pools = 77};
		struct json_object *o = json_tokener_parse(rows[i].text);
		struct mw_error err = {0};

		assert_non_null(o);
		if (mw_json_figures_read(o, &f, &err) != -EINVAL || !strstr(err.text, rows[i].says))
			fail_msg("%s: \"%s\" has not \"%s\"", rows[i].text, err.text, rows[i].says);
		assert_int_equal(f.n_pools, 77);
		json_object_put(o);
	}
}

/* Of another age than ours: what we do not know is passed over, what it does not know is 0. */
static void of_another_version(void **state)
{
	struct json_object *o = json_tokener_parse(
		"{\"later\":{},\"pools\":[{\"name\":\"a\",\"in_use\":3,\"later\":\"x\"}],\"requests\":null}");
	struct mw_figures f;

	(void)state;
	assert_int_equal(mw_json_figures_read(o, &f, NULL), 0);
	json_object_put(o);
	assert_int_equal(f.n_pools, 1);
	assert_int_equal(f.pools[0].values[MW_POOL_IN_USE], 3);
	assert_int_equal(f.pools[0].values[MW_POOL_WAITS], 0);
	assert_false(f.has_requests);
}

static void shown(void **state)
{
	struct mw_reported r = {.figures = some(), .time_ns = MW_NS_PER_S, .next_ms = 5000, .pid = 42};
	struct json_object *o = mw_json_figures(&r, 3 * MW_NS_PER_S);
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);

	(void)state;
	assert_non_null(strstr(text, "\"age_ms\":2000,\"stale\":false,\"pid\":42,"));
	assert_non_null(strstr(text, "{\"name\":\"rx\",\"bytes\":false,\"buffers\":1000,\"in_use\":7,"));
	assert_non_null(strstr(text, "{\"name\":\"text\",\"bytes\":true,\"in_use\":0,\"memory_bytes\":8192,"));
	assert_non_null(strstr(text, "\"requests\":{\"count\":3,\"open\":4,"));
	json_object_put(o);
	o = mw_json_figures(&r, 17 * MW_NS_PER_S);
	assert_non_null(strstr(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), "\"stale\":true"));
	json_object_put(o);
}

static void how_often(void **state)
{
	struct mw_reported r = {.time_ns = 100 * MW_NS_PER_S, .next_ms = 5000};

	(void)state;
	assert_int_equal(mw_figures_next_ms(1), 5000);
	assert_int_equal(mw_figures_next_ms(500), 5000);
	assert_int_equal(mw_figures_next_ms(5000), 50000); /* 100 a second */
	assert_false(mw_figures_fresh(NULL, 0));
	assert_true(mw_figures_fresh(&r, 114 * MW_NS_PER_S));
	assert_false(mw_figures_fresh(&r, 115 * MW_NS_PER_S));
	assert_true(mw_figures_fresh(&r, 99 * MW_NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),     cmocka_unit_test(the_largest), cmocka_unit_test(refused),
		cmocka_unit_test(of_another_version), cmocka_unit_test(shown),	     cmocka_unit_test(how_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
