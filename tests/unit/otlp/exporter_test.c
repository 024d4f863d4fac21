/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Queue, batches and repeated attempts under a clock of the test's: an hour takes a moment. */
#include "unit.h"

#include "otlp/exporter.h"
#include "otlp/news.h"

#define S  MW_NS_PER_S
#define MS MW_NS_PER_MS

static struct mw_destination to;
static struct mw_exporter all[MW_OTLP_SIGNALS], *const e = &all[MW_OTLP_LOGS];
static __u64 now;
static __u32 random_state;

static const struct mw_attempt taken = {.status = 200, .body = "{}", .size = 2, .retry_after_ms = -1},
			       hangs = {.broken = true, .why = "Timeout was reached", .retry_after_ms = -1},
			       broken = {.status = 500, .body = "", .retry_after_ms = -1},
			       busy = {.status = 503, .body = "", .retry_after_ms = 90000};

static int set_up(void **state)
{
	(void)state;
	to = (struct mw_destination){
		.on = true, .url = "http://c:4318/v1/logs", .delay_ms = 1000, .queue_max = 100, .batch_max = 10};
	for (enum mw_otlp_signal s = 0; s < MW_OTLP_SIGNALS; s++)
		assert_int_equal(mw_exporter_init(&all[s], s, &to, ""), 0);
	now = 1000 * S;
	random_state = 1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (enum mw_otlp_signal s = 0; s < MW_OTLP_SIGNALS; s++)
		mw_exporter_free(&all[s]);
	return 0;
}

static void add(int n)
{
	while (n-- > 0)
		mw_exporter_add(e, "{\"body\":{}}", 11, 1, now);
}

static void attempt(const struct mw_attempt *a)
{
	assert_int_equal(mw_exporter_begin(e), 0);
	assert_int_equal(mw_exporter_due(e), MW_EXPORTER_NEVER);
	random_state = random_state * 1664525 + 1013904223;
	mw_exporter_end(e, a, now, random_state);
}

static void waits_for_company(void **state)
{
	(void)state;
	assert_int_equal(mw_exporter_due(e), MW_EXPORTER_NEVER);
	add(1);
	assert_int_equal(mw_exporter_due(e), now + 1000 * MS);
	now += 600 * MS;
	add(1); /* the first one's time counts */
	assert_int_equal(mw_exporter_due(e), now + 400 * MS);
	add(8);
	assert_int_equal(mw_exporter_due(e), 0);
	add(5);
	assert_int_equal(mw_exporter_begin(e), 0);
	assert_string_equal(e->body + e->body_size - 6, "]}]}]}");
	assert_int_equal(e->batch, 10);
	mw_exporter_end(e, &taken, now, 0);
	assert_int_equal(e->counts.sent, 10);
	assert_int_equal(e->queue.count, 5);
	assert_int_equal(mw_exporter_due(e), now + 1000 * MS);
	e->ending = true;
	assert_int_equal(mw_exporter_due(e), 0);
}

static void compressed(void **state)
{
	(void)state;
	to.gzip = true;
	add(10);
	assert_int_equal(mw_exporter_begin(e), 0);
	assert_memory_equal(e->body, "\x1f\x8b", 2);
	mw_exporter_end(e, &taken, now, 0);
}

static void what_is_tried_again(void **state)
{
	static const char four[] = "{\"partialSuccess\":{\"rejectedLogRecords\":\"4\"}}";
	const struct mw_attempt partial = {.status = 200, .body = four, .size = sizeof(four) - 1};

	(void)state;
	add(30);
	attempt(&busy); /* Retry-After */
	assert_in_range(mw_exporter_due(e), now + 90 * S, now + 99 * S);
	assert_int_equal(e->counts.sent + e->counts.refused, 0);
	now = mw_exporter_due(e);
	attempt(&taken);
	assert_int_equal(e->counts.sent, 10);
	attempt(&broken); /* 500 is not to be repeated */
	assert_int_equal(e->counts.refused, 10);
	assert_string_equal(e->why, "answers 500");
	attempt(&partial); /* nor is what was refused in part */
	assert_int_equal(e->counts.sent, 16);
	assert_int_equal(e->counts.refused, 14);
	assert_int_equal(e->queue.count, 0);
	assert_int_equal(e->counts.requests, 4);
	assert_int_equal(e->counts.failures, 2);
}

/* Ten records a second for an hour, and nobody answers; then somebody does. */
static void an_hour_without_an_answer(void **state)
{
	__u64 end = now + 3600 * S, attempts = 0;

	(void)state;
	for (; now < end; now += 100 * MS) {
		add(1);
		if (mw_exporter_due(e) > now)
			continue;
		attempt(&hangs);
		attempts++;
		now += 10 * S; /* it took that long */
		add(100);
	}
	assert_in_range(attempts, 50, 120); /* not a storm, and not given up */
	assert_int_equal(e->queue.count, 100);
	assert_true(e->queue.bytes <= 1100);
	assert_true(mw_exporter_counts(e).dropped > 30000);
	assert_int_equal(mw_exporter_counts(e).waiting, 100);
	now = mw_exporter_due(e);
	attempt(&taken);
	for (int i = 0; i < 9; i++) { /* at once, until nothing waits */
		assert_true(mw_exporter_due(e) <= now + S);
		attempt(&taken);
	}
	assert_int_equal(e->counts.sent, 100);
	assert_int_equal(e->queue.count, 0);
	assert_int_equal(e->retry.failures, 0);
}

/* The same with 500: each batch is tried once. */
static void an_hour_of_500(void **state)
{
	__u64 end = now + 3600 * S;

	(void)state;
	for (; now < end; now += 100 * MS) {
		add(1);
		if (mw_exporter_due(e) <= now)
			attempt(&broken);
	}
	assert_true(e->queue.count <= 10);
	assert_int_equal(mw_exporter_counts(e).dropped, 0);
	assert_int_equal(e->counts.refused + e->queue.count, 36000);
	assert_int_equal(e->counts.failures, e->counts.requests);
}

static void outdated(void **state)
{
	(void)state;
	add(15);
	assert_int_equal(mw_exporter_begin(e), 0);
	mw_exporter_outdated(e); /* what is under way stays */
	assert_int_equal(e->queue.count, 10);
	mw_exporter_end(e, &hangs, now, 0);
	mw_exporter_outdated(e);
	assert_int_equal(e->queue.count, 0);
	assert_null(e->body);
	assert_int_equal(mw_exporter_counts(e).dropped, 15);
	assert_int_equal(e->retry.failures, 1); /* it is still nobody's turn */
}

static void one_line_a_change(void **state)
{
	struct mw_news n = {0};
	struct mw_otlp_report r;
	unsigned lines = 0;

	(void)state;
	add(10);
	attempt(&taken);
	assert_true(mw_news_due(&n, all, now, &r));
	assert_non_null(strstr(r.text, "collector http://c:4318/v1/logs takes records: 0 wait, 0 were lost"));
	add(10);
	attempt(&hangs);
	now += 6 * S;
	assert_true(mw_news_due(&n, all, now, &r));
	assert_string_equal(
		r.text,
		"collector http://c:4318/v1/logs does not answer: Timeout was reached: 10 records wait, 0 lost");
	assert_true(r.failing);
	for (int i = 0; i < 100; i++) {
		now += S;
		attempt(&hangs);
		assert_true(mw_news_due(&n, all, now, &r));
		assert_string_equal(r.text, "");
		assert_false(mw_news_due(&n, all, now, &r));
	}
	add(100);
	now += S;
	assert_true(mw_news_due(&n, all, now, &r)); /* the first that are lost are told */
	assert_non_null(strstr(r.text, "100 records wait, 10 lost"));
	now += 6 * S;
	attempt(&taken);
	assert_true(mw_news_due(&n, all, now, &r));
	assert_string_equal(r.text, "collector http://c:4318/v1/logs takes records again: 90 wait, 10 were lost");
	for (int i = 0; i < 600; i++) { /* one that comes and goes */
		now += 100 * MS;
		add(1);
		attempt(i % 2 ? &taken : &busy);
		lines += mw_news_due(&n, all, now, &r) && r.text[0];
	}
	assert_in_range(lines, 2, 13);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waits_for_company), TEST(compressed), TEST(what_is_tried_again), TEST(an_hour_without_an_answer),
		TEST(an_hour_of_500),	 TEST(outdated),   TEST(one_line_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
