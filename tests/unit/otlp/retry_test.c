/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/retry.h"
#include "util/cleanup.h"

#define S MW_NS_PER_S

static void which_statuses(void **state)
{
	(void)state;
	for (unsigned status = 0; status < 1000; status++)
		assert_int_equal(mw_retry_status(status),
				 status == 429 || status == 502 || status == 503 || status == 504);
}

static void grows_and_is_bounded(void **state)
{
	const __u64 least[] = {S, 2 * S, 4 * S, 8 * S, 16 * S, 32 * S, 60 * S, 60 * S};
	struct mw_retry r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(least); i++) {
		mw_retry_failed(&r, 1000 * S, MW_RETRY_AFTER_NONE, 0);
		assert_int_equal(r.not_before_ns, 1000 * S + least[i]);
	}
	r.failures = 100000;
	mw_retry_failed(&r, 0, MW_RETRY_AFTER_NONE, 0xffffffff); /* chance takes up to a half away */
	assert_in_range(r.not_before_ns, 30 * S, 31 * S);
	mw_retry_done(&r);
	assert_int_equal(r.failures, 0);
	mw_retry_failed(&r, 0, MW_RETRY_AFTER_NONE, 0x80000000);
	assert_int_equal(r.not_before_ns, S - S / 4);
}

static void retry_after_is_kept(void **state)
{
	struct mw_retry r = {0};

	(void)state;
	mw_retry_failed(&r, 5 * S, 20000, 0);
	assert_int_equal(r.not_before_ns, 25 * S);
	mw_retry_failed(&r, 5 * S, 20000, 0xffffffff); /* never sooner */
	assert_in_range(r.not_before_ns, 25 * S, 27 * S);
	mw_retry_failed(&r, 5 * S, 0, 0);
	assert_int_equal(r.not_before_ns, 5 * S);
	mw_retry_failed(&r, 0, INT64_MAX, 0);
	assert_int_equal(r.not_before_ns, 3600 * S);
}

static void read_header(void **state)
{
	const __u64 wall_ns = 784111777ULL * S; /* Sun, 06 Nov 1994 08:49:37 GMT */
	const struct {
		const char *text;
		__s64 ms;
	} rows[] = {
		{"0", 0},
		{"120", 120000},
		{" 7 \r\n", 7000},
		{"99999999999999999999", -2}, /* however long */
		{"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
		{"Sunday, 06-Nov-94 08:50:37 GMT\r\n", 60000},
		{"Sun Nov  6 08:50:37 1994", 60000},
		{"Sun, 06 Nov 1994 08:00:00 GMT", 0}, /* past */
		{"", MW_RETRY_AFTER_NONE},
		{"-5", MW_RETRY_AFTER_NONE},
		{"12x", MW_RETRY_AFTER_NONE},
		{"1.5", MW_RETRY_AFTER_NONE},
		{"soon", MW_RETRY_AFTER_NONE},
		{"Sun, 06 Nov 1994 08:50:37 GMT and more", MW_RETRY_AFTER_NONE},
		{"Sun, 99 Nov 1994 08:50:37 GMT", MW_RETRY_AFTER_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		__s64 ms = mw_retry_after(rows[i].text, wall_ns);

		if (rows[i].ms == -2)
			assert_true(ms > 3600 * 1000);
		else
			assert_int_equal(ms, rows[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_statuses),
		cmocka_unit_test(grows_and_is_bounded),
		cmocka_unit_test(retry_after_is_kept),
		cmocka_unit_test(read_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
