/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <linux/types.h>

#include "memweir/abi.h"
#include "util/histogram.h"
#include "util/table.h"

static void only_the_filled_range(void **state)
{
	struct mw_hist_row rows[MW_HIST_ROWS];
	__u64 slots[MW_HIST_SLOTS] = {0};

	(void)state;
	assert_int_equal(mw_hist_rows(slots, MW_HIST_SLOTS, rows), 0);
	assert_int_equal(mw_hist_rows(slots, 0, rows), 0);
	slots[10] = 5;
	slots[13] = 7;
	assert_int_equal(mw_hist_rows(slots, MW_HIST_SLOTS, rows), 4);
	assert_int_equal(rows[0].from_ns, 1024);
	assert_int_equal(rows[0].to_ns, 2048);
	assert_int_equal(rows[0].count, 5);
	assert_int_equal(rows[1].count, 0);
	assert_int_equal(rows[3].to_ns, 1 << 14);
	assert_int_equal(rows[3].count, 7);
}

static void merged(void **state)
{
	struct mw_hist_row rows[MW_HIST_ROWS];
	__u64 slots[MW_HIST_SLOTS], sum = 0;
	size_t n;

	(void)state;
	for (int i = 0; i < MW_HIST_SLOTS; i++)
		slots[i] = (__u64)i + 1;
	n = mw_hist_rows(slots, MW_HIST_SLOTS, rows);
	assert_int_equal(n, 12); /* three slots a row */
	for (size_t i = 0; i < n; i++)
		sum += rows[i].count;
	assert_int_equal(sum, MW_HIST_SLOTS * (MW_HIST_SLOTS + 1) / 2);
	assert_int_equal(rows[0].from_ns, 1);
	assert_int_equal(rows[n - 1].to_ns, 1ULL << MW_HIST_SLOTS);
}

static const char *printed(const __u64 *slots, size_t width)
{
	static char buf[4096];
	FILE *out = fmemopen(buf, sizeof(buf), "w");

	assert_non_null(out);
	buf[0] = '\0';
	mw_hist_print(slots, MW_HIST_SLOTS, width, out);
	fclose(out);
	return buf;
}

static void bars(void **state)
{
	__u64 slots[MW_HIST_SLOTS] = {0};

	(void)state;
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	slots[19] = 1;
	slots[20] = 3000;
	slots[21] = 1500;
	setenv("LANG", "C", 1);
	assert_string_equal(printed(slots, 61), "    524 us .. 1 ms     #                            1   0 %\n"
						"      1 ms .. 2.1 ms   ####################      3000  67 %\n"
						"    2.1 ms .. 4.2 ms   ##########                1500  33 %\n");
	setenv("LANG", "C.UTF-8", 1);
	assert_non_null(strstr(printed(slots, 61), "▏"));
	assert_string_equal(printed((const __u64[MW_HIST_SLOTS]){0}, 61), "");
}

/* No line is wider than the terminal, for any counts. */
static void fits(void **state)
{
	__u64 slots[MW_HIST_SLOTS];

	(void)state;
	for (int i = 0; i < MW_HIST_SLOTS; i++)
		slots[i] = 999999999ULL / (__u64)(i + 1);
	for (size_t width = 50; width < 200; width++) {
		char text[4096], *line, *rest = text;

		snprintf(text, sizeof(text), "%s", printed(slots, width));
		while ((line = strsep(&rest, "\n")) && *line)
			assert_true(mw_text_width(line) <= width);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_filled_range),
		cmocka_unit_test(merged),
		cmocka_unit_test(bars),
		cmocka_unit_test(fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
