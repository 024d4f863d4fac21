/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Metrics as text: both formats, what must be escaped, histograms, every family once; and the table and its page. */
#include "../unit.h"

#include <math.h>

#include "report/json.h"
#include "report/metrics.h"
#include "report/metrics_number.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PAGE "user/cli/man/memweir-metrics.7"

static const struct mw_metric_family few[] = {
	{"test_size_bytes", "bytes", "Size.", MW_METRIC_GAUGE},
	{"test_things", NULL, "Things.", MW_METRIC_COUNTER},
	{"test_wait_seconds", "seconds", "Waits.", MW_METRIC_HISTOGRAM},
	{"test", NULL, "Test.", MW_METRIC_INFO},
};
enum { SIZE, THINGS, WAIT, TEST };

static struct mw_metrics_out *out_of(bool open)
{
	struct mw_metrics_out *o = mw_metrics_out_new(few, sizeof(few[0]), ARRAY_SIZE(few), open);

	assert_non_null(o);
	return o;
}

/* The text; the caller's. */
static char *finish(struct mw_metrics_out *o)
{
	struct mw_parts *parts = mw_metrics_out_end(o);
	char *text;

	assert_non_null(parts);
	text = malloc(parts->size + 1);
	assert_non_null(text);
	assert_int_equal(mw_parts_read(parts, 0, text, parts->size), parts->size);
	text[parts->size] = '\0';
	mw_parts_free(parts);
	mw_metrics_out_free(o);
	return text;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void prometheus(void **state)
{
	struct mw_metrics_out *o = out_of(false);
	struct mw_metric_labels l = {0};
	_cleanup_free_ char *text = NULL;

	(void)state;
	mw_metric_label(&l, "a", "1");
	mw_metric_u64(o, THINGS, &l, 7); /* in the families' order, whatever came first */
	mw_metric_u64(o, SIZE, NULL, 18446744073709551615ULL);
	mw_metric_u64(o, THINGS, NULL, 8);
	mw_metric_u64(o, TEST, &l, 1);
	text = finish(o);
	assert_string_equal(text, "# HELP test_size_bytes Size.\n# TYPE test_size_bytes gauge\n"
				  "test_size_bytes 18446744073709551615\n"
				  "# HELP test_things_total Things.\n# TYPE test_things_total counter\n"
				  "test_things_total{a=\"1\"} 7\ntest_things_total 8\n"
				  "# HELP test_info Test.\n# TYPE test_info gauge\ntest_info{a=\"1\"} 1\n");
}

static void openmetrics(void **state)
{
	struct mw_metrics_out *o = out_of(true);
	_cleanup_free_ char *text = NULL, *nothing = NULL;

	(void)state;
	mw_metric_u64(o, THINGS, NULL, 8);
	mw_metric_u64(o, SIZE, NULL, 1);
	mw_metric_u64(o, TEST, NULL, 1);
	text = finish(o);
	assert_string_equal(text, "# HELP test_size_bytes Size.\n# TYPE test_size_bytes gauge\n"
				  "# UNIT test_size_bytes bytes\ntest_size_bytes 1\n"
				  "# HELP test_things Things.\n# TYPE test_things counter\ntest_things_total 8\n"
				  "# HELP test Test.\n# TYPE test info\ntest_info 1\n# EOF\n");
	nothing = finish(out_of(true));
	assert_string_equal(nothing, "# EOF\n");
}

static void labels_are_escaped(void **state)
{
	static const struct {
		const char *value, *text;
	} rows[] = {
		{"plain-1.x", "a=\"plain-1.x\""},
		{"", "a=\"\""},
		{"say \"no\"", "a=\"say \\\"no\\\"\""},
		{"C:\\n", "a=\"C:\\\\n\""},
		{"two\nlines", "a=\"two\\nlines\""},
		{"brac{e}=,", "a=\"brac{e}=,\""},
		{"gr\xc3\xbc\xc3\x9f", "a=\"gr\xc3\xbc\xc3\x9f\""},
		{"bad\xff\xc3", "a=\"bad\xef\xbf\xbd\xef\xbf\xbd\""},
		{"half\xe2\x82", "a=\"half\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mw_metric_labels l = {0};

		mw_metric_label(&l, "a", rows[i].value);
		assert_string_equal(l.text, rows[i].text);
		assert_int_equal(l.used, strlen(rows[i].text));
	}
}

static void long_values_are_cut(void **state)
{
	struct mw_metric_labels l = {0};
	char value[1000];

	(void)state;
	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	mw_metric_label(&l, "a", value);
	assert_in_range(l.used, 256, 600);
	assert_int_equal(l.text[l.used - 1], '"');
	for (int i = 0; i < 20; i++) /* what has no room is left out whole */
		mw_metric_label(&l, "b", value);
	assert_in_range(l.used, 600, sizeof(l.text) - 1);
	assert_int_equal(strlen(l.text), l.used);
	mw_metric_labels_cut(&l, 0);
	mw_metric_label_u64(&l, "n", 12);
	assert_string_equal(l.text, "n=\"12\"");
}

static void numbers(void **state)
{
	static const struct {
		__u64 ns;
		const char *text;
	} seconds[] = {
		{0, "0.0"},
		{1, "0.000000001"},
		{1048576, "0.001048576"},
		{12000000000ULL, "12.0"},
		{1500000000, "1.5"},
		{18446744073709551615ULL, "18446744073.709551615"},
	};
	char buf[MW_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		assert_string_equal(mw_number_seconds(seconds[i].ns, buf), seconds[i].text);
	assert_string_equal(mw_number_u64(0, buf), "0");
	assert_string_equal(mw_number_double(0.25, buf), "0.25");
	assert_string_equal(mw_number_double(NAN, buf), "NaN");
	assert_string_equal(mw_number_double(INFINITY, buf), "+Inf");
	assert_string_equal(mw_number_double(-INFINITY, buf), "-Inf");
}

/* Slot i of the kernel side's counts [2^i, 2^(i+1)): all of it is within the bucket that ends there. */
static void histograms(void **state)
{
	static const struct mw_metric_buckets buckets = {.first = 10, .last = 14, .step = 2};
	struct mw_pause_stat s = {.count = 99, .total_ns = 5000};
	struct mw_metric_labels l = {0}, about = {0};
	struct mw_metric_exemplar e = {.labels = &about, .value_ns = 4097, .wall_ns = 1500000000};
	struct mw_metrics_out *o = out_of(false);
	_cleanup_free_ char *text = NULL, *open = NULL;

	(void)state;
	s.hist[0] = 1;
	s.hist[9] = 2; /* up to 1023 ns */
	s.hist[10] = 4; /* from 1024 ns */
	s.hist[35] = 8;
	mw_metric_label(&l, "k", "v");
	mw_metric_label(&about, "comm", "x");
	mw_metric_histogram(o, WAIT, &l, &s, &buckets, &e);
	text = finish(o);
	assert_string_equal(text, "# HELP test_wait_seconds Waits.\n# TYPE test_wait_seconds histogram\n"
				  "test_wait_seconds_bucket{k=\"v\",le=\"0.000001024\"} 3\n"
				  "test_wait_seconds_bucket{k=\"v\",le=\"0.000004096\"} 7\n"
				  "test_wait_seconds_bucket{k=\"v\",le=\"0.000016384\"} 7\n"
				  "test_wait_seconds_bucket{k=\"v\",le=\"+Inf\"} 15\n"
				  "test_wait_seconds_count{k=\"v\"} 15\ntest_wait_seconds_sum{k=\"v\"} 0.000005\n");
	o = out_of(true);
	mw_metric_histogram(o, WAIT, NULL, &s, &buckets, &e);
	e.value_ns = 1ULL << 40;
	e.wall_ns = 0;
	mw_metric_histogram(o, WAIT, &l, &s, &buckets, &e);
	open = finish(o);
	assert_non_null(strstr(open, "{le=\"0.000016384\"} 7 # {comm=\"x\"} 0.000004097 1.5\n"));
	assert_non_null(strstr(open, "{k=\"v\",le=\"+Inf\"} 15 # {comm=\"x\"} 1099.511627776\n"));
	assert_int_equal(times(open, " # {"), 2);
}

/* More than one chunk of a family, each sample whole. */
static void many_samples(void **state)
{
	struct mw_metrics_out *o = out_of(true);
	_cleanup_free_ char *text = NULL;
	struct mw_metric_labels l = {0};

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		mw_metric_labels_cut(&l, 0);
		mw_metric_label_u64(&l, "i", i);
		mw_metric_u64(o, SIZE, &l, i);
		mw_metric_u64(o, THINGS, &l, i);
	}
	text = finish(o);
	assert_int_equal(times(text, "# HELP"), 2);
	assert_int_equal(times(text, "test_size_bytes{i=\""), 5000);
	assert_int_equal(times(text, "test_things_total{i=\""), 5000);
	assert_non_null(strstr(text, "test_size_bytes{i=\"4999\"} 4999\n# HELP test_things "));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
}

static void who_accepts_what(void **state)
{
	static const struct {
		const char *accept;
		enum mw_metrics_format format;
	} rows[] = {
		{NULL, MW_METRICS_PROMETHEUS},
		{"", MW_METRICS_PROMETHEUS},
		{"*/*", MW_METRICS_PROMETHEUS},
		{"text/plain", MW_METRICS_PROMETHEUS},
		{"application/json", MW_METRICS_PROMETHEUS},
		{"application/openmetrics-text", MW_METRICS_OPEN},
		{"Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", MW_METRICS_OPEN},
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
		 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 MW_METRICS_OPEN}, /* Prometheus 2.42 */
		{"application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5",
		 MW_METRICS_PROMETHEUS},
		{"text/plain;version=0.0.4;q=0.5, application/openmetrics-text;q=0.4", MW_METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=0, */*", MW_METRICS_PROMETHEUS},
		{"application/*, text/plain;q=0.9", MW_METRICS_OPEN},
		{"application/openmetrics-text;q=0.2, application/*;q=0.9, text/*;q=0.5", MW_METRICS_PROMETHEUS},
		{"text/*;q=0.3, */*;q=0.8", MW_METRICS_OPEN},
		{";;;,,,q=/=;q", MW_METRICS_PROMETHEUS},
		{"application/openmetrics-text;q=nonsense", MW_METRICS_PROMETHEUS},
		{"application/openmetrics-textual", MW_METRICS_PROMETHEUS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (mw_metrics_accept(rows[i].accept) != rows[i].format)
			print_error("%s\n", rows[i].accept);
		assert_int_equal(mw_metrics_accept(rows[i].accept), rows[i].format);
	}
	assert_string_equal(mw_metrics_content_type(MW_METRICS_OPEN),
			    "application/openmetrics-text; version=1.0.0; charset=utf-8");
	assert_string_equal(mw_metrics_content_type(MW_METRICS_PROMETHEUS), "text/plain; version=0.0.4; charset=utf-8");
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n > m && strcmp(text + n - m, with) == 0;
}

/* What the formats ask of a family's name, and how we name ours. */
static void rows_are_good(void **state)
{
	(void)state;
	for (enum mw_metric i = 0; i < MW_M_MAX; i++) {
		const struct mw_metric_row *row = &mw_metric_rows[i];
		const struct mw_metric_family *f = &row->family;
		char unit[64];

		assert_non_null(f->name);
		if (strncmp(f->name, "memweir_", 8) != 0)
			fail_msg("%s", f->name);
		assert_int_equal(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(f->name));
		for (size_t s = 0; s < 4; s++)
			assert_false(ends(f->name, ((const char *[]){"_total", "_info", "_count", "_created"})[s]));
		snprintf(unit, sizeof(unit), "_%s", f->unit ? f->unit : "");
		if (f->unit && !ends(f->name, unit))
			fail_msg("%s does not end with its unit", f->name);
		if (!f->unit && (ends(f->name, "_bytes") || ends(f->name, "_seconds") || ends(f->name, "_ratio")))
			fail_msg("%s has no unit", f->name);
		if (f->help[strcspn(f->help, "\\\"\n")] || f->help[strlen(f->help) - 1] != '.')
			fail_msg("%s: help is not a plain sentence", f->name);
		if (i <= MW_M_FIGURES_AGE && strncmp(f->name, "memweir_worker", 14) != 0)
			fail_msg("%s is of a worker", f->name);
		for (enum mw_metric other = 0; other < i; other++)
			assert_string_not_equal(mw_metric_rows[other].family.name, f->name);
	}
}

/* The numbers of level and verdict mean what their help says. */
static void numbers_are_explained(void **state)
{
	char word[64];

	(void)state;
	for (enum mw_level level = 0; level < MW_LEVEL_MAX; level++) {
		snprintf(word, sizeof(word), " %d %s", (int)level, mw_level_name(level));
		assert_non_null(strstr(mw_metric_rows[MW_M_WORKER_LEVEL].family.help, word));
	}
	for (enum mw_trend_verdict v = 0; v < MW_TREND_MAX; v++) {
		snprintf(word, sizeof(word), " %d %s", (int)v, mw_trend_name(v));
		assert_non_null(strstr(mw_metric_rows[MW_M_WORKER_VERDICT].family.help, word));
	}
}

static char *page(void)
{
	_cleanup_fclose_ FILE *file = fopen(PAGE, "re");
	static char text[65536];
	size_t n;

	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	return text;
}

/* Name as samples have it, type, labels and help of each row stand in the page, in the order of the table. */
static void rows_are_in_the_page(void **state)
{
	const char *at = page();

	(void)state;
	if (!at) {
		print_message("skipped: %s is not here\n", PAGE);
		skip();
	}
	for (enum mw_metric i = 0; i < MW_M_MAX; i++) {
		const struct mw_metric_row *row = &mw_metric_rows[i];
		const struct mw_metric_family *f = &row->family;
		char item[512];

		snprintf(item, sizeof(item), ".It Li %s%s Pq %s%s%s\n%s\n", f->name + strlen("memweir_"),
			 f->type == MW_METRIC_COUNTER ? "_total"
			 : f->type == MW_METRIC_INFO  ? "_info"
						      : "",
			 mw_metric_type_name(f->type, true), row->labels ? "; " : "", row->labels ? row->labels : "",
			 f->help);
		at = strstr(at, item);
		if (!at)
			fail_msg("%s has not, or not here:\n%s", PAGE, item);
	}
}

static struct mw_worker *worker_of(struct mw_workers *ws, const char *name, const char *class_name)
{
	struct mw_worker *w;
	static __u64 id = 100;

	assert_int_equal(mw_worker_add(ws, name, class_name, "/x\"y", -1, ++id, 5, &w), 0);
	w->usage = (struct mw_usage){.time_ns = 1000, .current = 5000, .heap = 4000, .bin = 3, .high = MW_UNLIMITED};
	w->usage.max = 1 << 20;
	w->usage.events[MW_MEMCG_OOM_KILL] = 2;
	w->profile.max_heap = MW_UNLIMITED;
	w->profile.max_bin_heap = 70;
	return w;
}

/* No series twice, HELP and TYPE of a family once, before its samples. */
static void assert_sound(char *text)
{
	char *lines[4096], *rest = text, *line;
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) && *line) {
		char *value = strrchr(line, ' ');

		if (*line != '#' && !strstr(line, " # "))
			*value = '\0';
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(lines[i], line);
		assert_true(n < ARRAY_SIZE(lines));
		lines[n++] = line;
	}
}

static void of_workers(void **state)
{
	struct mw_metrics_out *o =
		mw_metrics_out_new(&mw_metric_rows[0].family, sizeof(mw_metric_rows[0]), MW_M_MAX, true);
	struct mw_metrics_now now = {.now_ns = 2000001000};
	struct mw_pause_stat stats[MW_PAUSE_MAX] = {0};
	struct mw_workers ws;
	struct mw_worker *w;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(mw_workers_init(&ws, 4), 0);
	w = worker_of(&ws, "web", "to\"ol");
	mw_metrics_worker(o, w, NULL, &now);
	w = worker_of(&ws, "db", "tool");
	w->trend = (struct mw_trend){.verdict = MW_LEAK, .rate_bytes_per_s = 12.5, .time_to_limit_s = -1};
	w->squeeze.lifted = true;
	w->incidents[MW_REASON_LIFT] = 3;
	mw_pause_count(&stats[MW_PAUSE_MEMSTALL], 1 << 20);
	mw_pause_count(&stats[MW_PAUSE_HIGH_RECLAIM], 1 << 19);
	mw_stalls_note(mw_stalls_of(w),
		       &(struct mw_event){.duration_ns = 1 << 20, .time_ns = 5, .tid = 9, .comm = "a\"b"},
		       MW_LIMIT_WORKER);
	mw_metrics_worker(o, w, stats, &now);
	text = finish(o);
#define HAS(line) assert_non_null(strstr(text, line "\n"))
	HAS("memweir_worker_info{worker=\"web\",class=\"to\\\"ol\",cgroup=\"/"
	    "x\\\"y\",policy=\"observe\",owner=\"own\"} 1");
	HAS("memweir_worker_usage_bytes{worker=\"web\",class=\"to\\\"ol\"} 5000");
	HAS("memweir_worker_max_bytes{worker=\"db\",class=\"tool\"} 1048576");
	HAS("memweir_worker_max_bin_heap_bytes{worker=\"db\",class=\"tool\"} 70");
	assert_null(strstr(text, "worker_high_bytes")); /* no limit, no sample */
	assert_null(strstr(text, "worker_max_heap_bytes"));
	HAS("memweir_worker_memory_events_total{worker=\"db\",class=\"tool\",event=\"oom_kill\"} 2");
	HAS("memweir_worker_memory_events_total{worker=\"db\",class=\"tool\",event=\"high\"} 0");
	HAS("memweir_worker_verdict{worker=\"db\",class=\"tool\"} 3");
	HAS("memweir_worker_leak_bytes_per_second{worker=\"db\",class=\"tool\"} 12.5");
	assert_null(strstr(text, "time_to_limit")); /* never */
	HAS("memweir_worker_state{worker=\"db\",class=\"tool\",state=\"lifted\"} 1");
	assert_null(strstr(text, "frozen"));
	HAS("memweir_worker_incidents_total{worker=\"db\",class=\"tool\",reason=\"lift\"} 3");
	HAS("memweir_worker_stalled_seconds_total{worker=\"web\",class=\"to\\\"ol\"} 0.0");
	HAS("memweir_worker_stalled_seconds_total{worker=\"db\",class=\"tool\"} 0.001048576");
	HAS("memweir_worker_reclaims_total{worker=\"db\",class=\"tool\",cause=\"memory.high\"} 1");
	HAS("memweir_worker_pauses_total{worker=\"db\",class=\"tool\",kind=\"high-reclaim\"} 1");
	HAS("memweir_worker_pause_seconds_bucket{worker=\"db\",class=\"tool\",le=\"0.004194304\"} 1 # "
	    "{comm=\"a\\\"b\",tid=\"9\",kind=\"memstall\"} 0.001048576 0.000000005");
	HAS("memweir_worker_pause_seconds_count{worker=\"db\",class=\"tool\"} 1");
	assert_null(strstr(text, "worker_pause_seconds_count{worker=\"web\""));
	HAS("memweir_worker_sample_age_seconds{worker=\"web\",class=\"to\\\"ol\"} 2.0");
	assert_sound(text);
	mw_workers_free(&ws);
}

/* Each counter of a class, also at 0: who alerts on its increase must not miss the first. */
static void of_figures(void **state)
{
	struct mw_metrics_out *o =
		mw_metrics_out_new(&mw_metric_rows[0].family, sizeof(mw_metric_rows[0]), MW_M_MAX, true);
	struct mw_reported told = {.time_ns = MW_NS_PER_S, .next_ms = 5000}, old = told;
	struct mw_figures *f = &told.figures;
	struct mw_worker w = {.name = "web", .class_name = "tool", .reported = &told};
	struct mw_worker silent = {.name = "silent", .class_name = "tool", .reported = &old};
	_cleanup_free_ char *text = NULL;
	struct mw_metric_labels l = {0};

	(void)state;
	f->n_pools = 2;
	strcpy(f->pools[0].name, "rx");
	f->pools[0].values[MW_POOL_BUFFERS] = 10;
	strcpy(f->pools[1].name, "text");
	f->pools[1].bytes = true;
	f->pools[1].values[MW_POOL_DROPPED] = 7;
	f->n_limiters = 1;
	strcpy(f->limiters[0].name, "heap");
	f->limiters[0].values[MW_LIMITER_REFUSALS] = 3;
	f->has_requests = true;
	mw_figure_count(&f->requests.histograms[MW_REQUEST_DURATION], MW_REQUEST_DURATION, 2 * MW_NS_PER_MS);
	mw_figure_count(&f->requests.histograms[MW_REQUEST_DURATION], MW_REQUEST_DURATION, 20 * MW_NS_PER_S);
	mw_figure_count(&f->requests.histograms[MW_REQUEST_GROWTH], MW_REQUEST_GROWTH, 65536);
	mw_metric_label(&l, "worker", w.name);
	mw_metrics_figures(o, &w, &l, 3 * MW_NS_PER_S);
	mw_metric_labels_cut(&l, 0);
	mw_metric_label(&l, "worker", silent.name);
	mw_metrics_figures(o, &silent, &l, 17 * MW_NS_PER_S); /* stale: nothing */
	text = finish(o);
	HAS("memweir_worker_figures_age_seconds{worker=\"web\"} 2.0");
	HAS("memweir_pool_buffers{worker=\"web\",pool=\"rx\"} 10");
	HAS("memweir_pool_refusals_total{worker=\"web\",pool=\"rx\"} 0"); /* from the beginning: increase() sees the
									     first */
	HAS("memweir_pool_drops_total{worker=\"web\",pool=\"text\"} 7");
	HAS("memweir_limiter_refusals_total{worker=\"web\",limiter=\"heap\"} 3");
	HAS("memweir_request_duration_seconds_bucket{worker=\"web\",le=\"0.001\"} 0");
	HAS("memweir_request_duration_seconds_bucket{worker=\"web\",le=\"0.005\"} 1");
	HAS("memweir_request_duration_seconds_bucket{worker=\"web\",le=\"+Inf\"} 2");
	HAS("memweir_request_duration_seconds_sum{worker=\"web\"} 20.002");
	HAS("memweir_request_growth_bytes_bucket{worker=\"web\",le=\"65536.0\"} 1");
	HAS("memweir_request_growth_bytes_count{worker=\"web\"} 1");
	assert_null(strstr(text, "memweir_pool_buffers{worker=\"web\",pool=\"text\"}"));
	assert_null(strstr(text, "silent"));
	assert_sound(text);
}

static void of_classes(void **state)
{
	struct mw_metrics_out *o =
		mw_metrics_out_new(&mw_metric_rows[0].family, sizeof(mw_metric_rows[0]), MW_M_MAX, true);
	struct mw_class_pauses sums = {.name = "tool"};
	struct mw_class_totals totals = {.name = "tool", .started = 3, .killed = 1};
	struct mw_metrics_now now = {0};
	struct mw_metrics_guard *g = calloc(1, sizeof(*g));
	_cleanup_free_ char *text = NULL;

	(void)state;
	totals.incidents[MW_REASON_HEAP_SIZE] = 2;
	totals.incidents[MW_REASON_HOST_OOM] = 5;
	sums.levels[MW_LEVEL_CRITICAL] = 4;
	mw_pause_count(&sums.pauses[MW_PAUSE_THRASH], 10000);
	sums.last[MW_PAUSE_THRASH] = (struct mw_metric_last){.duration_ns = 10000, .time_ns = 7, .worker = "web"};
	mw_metrics_class(o, &totals, &sums, &now);
	*g = (struct mw_metrics_guard){.version = "1", .budget = MW_UNLIMITED, .n_programs = 1};
	g->programs[0] = (struct mw_metric_program){.name = "p", .runs = 5, .run_ns = 6};
	g->codes[g->n_codes++] = (struct mw_metric_code){.status = 200, .n = 11};
	mw_metrics_guard(o, g);
	free(g);
	text = finish(o);
	HAS("memweir_workers{class=\"tool\",level=\"critical\"} 4");
	HAS("memweir_workers{class=\"tool\",level=\"ok\"} 0");
	HAS("memweir_incidents_total{class=\"tool\",reason=\"heap_size\"} 2");
	HAS("memweir_incidents_total{class=\"tool\",reason=\"freeze\"} 0");
	HAS("memweir_kills_total{class=\"tool\",by=\"kernel\"} 7");
	HAS("memweir_kills_total{class=\"tool\",by=\"memweir\"} 1");
	HAS("memweir_workers_started_total{class=\"tool\"} 3");
	HAS("memweir_pause_seconds_bucket{class=\"tool\",kind=\"thrash\",le=\"0.000016384\"} 1 # "
	    "{worker=\"web\",comm=\"\",tid=\"0\"} 0.00001 0.000000007");
	assert_null(strstr(text, "reason=\"exit\""));
	assert_null(strstr(text, "memweir_budget"));
	HAS("memweir_bpf_stats_enabled 0");
	assert_null(strstr(text, "memweir_bpf_run_seconds")); /* not known: not said */
	HAS("memweir_http_requests_total{code=\"200\"} 11");
	assert_sound(text);
}

/* Without a collector nothing is said of one; with one, what it took and what it did not. */
static void of_exports(void **state)
{
	struct mw_metrics_guard *g = calloc(1, sizeof(*g));
	_cleanup_free_ char *text = NULL;

	(void)state;
	for (int collector = 0; collector < 2; collector++) {
		struct mw_metrics_out *o =
			mw_metrics_out_new(&mw_metric_rows[0].family, sizeof(mw_metric_rows[0]), MW_M_MAX, true);

		*g = (struct mw_metrics_guard){.version = "1",
					       .otlp = collector,
					       .otlp_failing = 1,
					       .log_suppressed = 9};
		g->signals[0] = (struct mw_metric_signal){"traces", 100, 20, 3, 4};
		g->http_closed[0] = (struct mw_metric_named){"slow", 7};
		mw_metrics_guard(o, g);
		mw_freep(&text);
		text = finish(o);
		HAS("memweir_log_lines_suppressed_total 9");
		HAS("memweir_http_connections_closed_total{why=\"slow\"} 7");
		if (!collector)
			assert_null(strstr(text, "\nmemweir_otlp_"));
	}
	free(g);
	HAS("memweir_otlp_failing 1");
	HAS("memweir_otlp_items_total{signal=\"traces\",outcome=\"sent\"} 100");
	HAS("memweir_otlp_items_total{signal=\"traces\",outcome=\"dropped\"} 20");
	HAS("memweir_otlp_items_total{signal=\"traces\",outcome=\"refused\"} 3");
	HAS("memweir_otlp_waiting{signal=\"traces\"} 4");
	assert_sound(text);
}

static void totals_survive(void **state)
{
	struct mw_pause_stat worker[MW_PAUSE_MAX] = {0}, sum[MW_PAUSE_MAX];
	struct mw_totals t = {0};
	struct mw_class_totals *c;
	char name[32];

	(void)state;
	/* An earlier daemon's worker: what it had counted is taken away, and is back when its own is added. */
	mw_pause_count(&worker[0], 1000);
	c = mw_totals_class(&t, "tool");
	mw_pauses_subtract(c->pauses, worker);
	memcpy(sum, c->pauses, sizeof(sum));
	mw_pauses_add(sum, worker);
	assert_int_equal(sum[0].count, 0);
	mw_pause_count(&worker[0], 5);
	mw_pauses_add(c->pauses, worker); /* it ends */
	assert_int_equal(c->pauses[0].count, 1);
	assert_int_equal(c->pauses[0].total_ns, 5);
	assert_int_equal(c->pauses[0].hist[2], 1);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "class%d", i);
		c = mw_totals_class(&t, name);
	}
	assert_int_equal(t.n, MW_TOTALS_CLASSES);
	assert_string_equal(c->name, "(other)");
	assert_ptr_equal(mw_totals_class(&t, "one more"), c);
	assert_string_equal(mw_totals_class(&t, "tool")->name, "tool");
	mw_totals_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus),
		cmocka_unit_test(openmetrics),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(numbers),
		cmocka_unit_test(histograms),
		cmocka_unit_test(many_samples),
		cmocka_unit_test(who_accepts_what),
		cmocka_unit_test(rows_are_good),
		cmocka_unit_test(numbers_are_explained),
		cmocka_unit_test(rows_are_in_the_page),
		cmocka_unit_test(of_workers),
		cmocka_unit_test(of_figures),
		cmocka_unit_test(of_exports),
		cmocka_unit_test(of_classes),
		cmocka_unit_test(totals_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
