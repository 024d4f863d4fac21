/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/metrics.h"
#include "otlp/scrape.h"

static struct mw_destination to = {.on = true, .queue_max = 100, .batch_max = 100};
static struct mw_exporter e;
static struct mw_metrics m;
static char all_text[65536];

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(mw_exporter_init(&e, MW_OTLP_METRICS, &to, ""), 0);
	return mw_metrics_init(&m);
}

static int tear_down(void **state)
{
	(void)state;
	mw_metrics_free(&m);
	mw_exporter_free(&e);
	return 0;
}

/* One look at text, at that second; what is queued then, joined. */
static const char *look(const char *text, __u64 second)
{
	char copy[4096], *save, *line;
	const struct mw_queued *q;

	snprintf(copy, sizeof(copy), "%s", text);
	mw_exporter_outdated(&e);
	mw_metrics_begin(&m, &e, second * MW_NS_PER_S);
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		mw_metrics_line(&m, line, 0);
	mw_metrics_end(&m, 0);
	all_text[0] = '\0';
	for (size_t i = 0; (q = mw_queue_at(&e.queue, i)); i++)
		strcat(all_text, q->text);
	return all_text;
}

static void has(const char *part)
{
	if (!strstr(all_text, part))
		fail_msg("no %s in %s", part, all_text);
}

static void lines(void **state)
{
	static const char *const bad[] = {
		"a",	"a{",	 "a{b} 1", "a{b=\"x} 1", "a{b=\"x\"}1",		"a x",
		"1a 2", "a 1 x", "a  1",   "a{,} 1",	 "a{b=\"x\"c=\"y\"} 1", "# TYPE 1 gauge"};
	char line[256] = "a:b{le=\"+Inf\",x=\"q\\\"\\\\\\n\",} 12 1.5 # {t=\"1\"} 3";
	struct mw_om_line l;

	(void)state;
	assert_int_equal(mw_om_parse(line, &l), 0);
	assert_string_equal(l.name, "a:b");
	assert_string_equal(mw_om_label(&l, "x"), "q\"\\\n");
	assert_string_equal(mw_om_label(&l, "le"), "+Inf");
	assert_null(mw_om_label(&l, "y"));
	assert_true(l.whole && l.number == 12);
	assert_true(l.time_s == 1.5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "%s", bad[i]);
		if (mw_om_parse(line, &l) != -EINVAL)
			fail_msg("%s was taken", bad[i]);
	}
	strcpy(line, "a 1e3");
	assert_int_equal(mw_om_parse(line, &l), 0);
	assert_true(!l.whole && l.value == 1000);
	strcpy(line, "a NaN # {} 1");
	assert_int_equal(mw_om_parse(line, &l), 0);
	strcpy(line, "# EOF");
	assert_int_equal(mw_om_parse(line, &l), 0);
	assert_int_equal(l.kind, MW_OM_EOF);
	strcpy(line, "# HELP a b\\nc");
	assert_int_equal(mw_om_parse(line, &l), 0);
	assert_string_equal(l.text, "b\nc");
}

static void gauges_and_info(void **state)
{
	(void)state;
	look("# TYPE use_bytes gauge\n# UNIT use_bytes bytes\n# HELP use_bytes Used.\nuse_bytes{worker=\"a\"} 5\n"
	     "use_bytes{worker=\"b\"} 2.5\n# TYPE w info\nw_info{worker=\"a\",v=\"1\"} 1\n# TYPE s summary\ns_sum 1\n# "
	     "EOF\n",
	     10);
	assert_int_equal(e.queue.count, 2);
	assert_int_equal(e.queue.records, 3);
	has("{\"name\":\"use_bytes\",\"description\":\"Used.\",\"unit\":\"By\",\"gauge\":{\"dataPoints\":[{"
	    "\"attributes\":"
	    "[{\"key\":\"worker\",\"value\":{\"stringValue\":\"a\"}}],\"timeUnixNano\":\"10000000000\",\"asInt\":\"5\"}"
	    ",");
	has("\"asDouble\":2.5}]}}");
	has("{\"name\":\"w_info\",\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":false,\"dataPoints\":[");
	assert_null(strstr(all_text, "s_sum"));
	assert_int_equal(m.left_out, 1);
}

static void counters_and_their_starts(void **state)
{
	(void)state;
	look("# TYPE c counter\nc_total{w=\"a\"} 5\n", 10);
	has("{\"name\":\"c_total\",\"sum\":{\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":[");
	has("\"startTimeUnixNano\":\"10000000000\",\"timeUnixNano\":\"10000000000\",\"asInt\":\"5\""); /* unknown */
	look("# TYPE c counter\nc_total{w=\"a\"} 7\nc_total{w=\"b\"} 1\n", 20);
	has("\"startTimeUnixNano\":\"10000000000\",\"timeUnixNano\":\"20000000000\",\"asInt\":\"7\"");
	has("\"startTimeUnixNano\":\"10000000000\",\"timeUnixNano\":\"20000000000\",\"asInt\":\"1\""); /* new since the
													  look before */
	look("# TYPE c counter\nc_total{w=\"a\"} 3\nc_total{w=\"b\"} 2\n", 30); /* a is another a */
	has("\"startTimeUnixNano\":\"20000000000\",\"timeUnixNano\":\"30000000000\",\"asInt\":\"3\"");
	has("\"startTimeUnixNano\":\"10000000000\",\"timeUnixNano\":\"30000000000\",\"asInt\":\"2\"");
	look("# TYPE c counter\nc_total{w=\"a\"} 4\nc_created{w=\"a\"} 15.5\nc_total{w=\"b\"} 2\n", 40);
	has("\"startTimeUnixNano\":\"15500000000\",\"timeUnixNano\":\"40000000000\",\"asInt\":\"4\"");
	assert_int_equal(m.left_out, 0);
}

static void histograms(void **state)
{
	(void)state;
	look("# TYPE p_seconds histogram\n# UNIT p_seconds seconds\n"
	     "p_seconds_bucket{w=\"a\",le=\"0.1\"} 2\np_seconds_bucket{w=\"a\",le=\"1.0\"} 5\n"
	     "p_seconds_bucket{w=\"a\",le=\"+Inf\"} 6 # {x=\"y\"} 3.0 1.0\np_seconds_count{w=\"a\"} "
	     "6\np_seconds_sum{w=\"a\"} 4.5\n"
	     "p_seconds_bucket{w=\"b\",le=\"+Inf\"} 6\np_seconds_count{w=\"b\"} 7\n" /* do not agree */
	     "p_seconds_bucket{w=\"c\",le=\"0.1\"} 6\np_seconds_bucket{w=\"c\",le=\"+Inf\"} "
	     "5\np_seconds_count{w=\"c\"} 5\n"
	     "p_seconds_count{w=\"d\"} 1\n",
	     10);
	has("{\"name\":\"p_seconds\",\"unit\":\"s\",\"histogram\":{\"aggregationTemporality\":2,\"dataPoints\":[{"
	    "\"attributes\":"
	    "[{\"key\":\"w\",\"value\":{\"stringValue\":\"a\"}}],\"startTimeUnixNano\":\"10000000000\","
	    "\"timeUnixNano\":\"10000000000\",\"count\":\"6\",\"sum\":4.5,\"bucketCounts\":[\"2\",\"3\",\"1\"],"
	    "\"explicitBounds\":[0.10000000000000001,1]}");
	assert_int_equal(e.queue.records, 2);
	assert_int_equal(m.left_out, 2);
}

static void many_series(void **state)
{
	struct mw_series_table t = {0};
	char name[32];

	(void)state;
	for (__u64 round = 1; round <= 6; round++) { /* each has other workers: nothing grows */
		mw_starts_look(&t, round * 10);
		for (unsigned i = 0; i < 20000; i++) {
			snprintf(name, sizeof(name), "%llu-%u", round, i);
			assert_int_equal(mw_starts_of(&t, mw_starts_key(0, name), 1),
					 round == 1 ? 10 : (round - 1) * 10);
		}
	}
	assert_true(t.count <= 5 * 20000);
	assert_true(t.room <= 2 * MW_SERIES_MAX);
	for (unsigned i = 0; i < 200000; i++) {
		snprintf(name, sizeof(name), "x-%u", i);
		mw_starts_of(&t, mw_starts_key(0, name), 1);
	}
	assert_int_equal(t.count, MW_SERIES_MAX);
	assert_int_equal(mw_starts_of(&t, mw_starts_key(0, "one more"), 1), 0);
	mw_starts_free(&t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines),	  TEST(gauges_and_info), TEST(counters_and_their_starts),
		TEST(histograms), TEST(many_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
