/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <linux/types.h>

#include "memweir/abi.h"
#include "util/cleanup.h"
#include "util/size.h"

struct parse_case {
	const char *text;
	__u64 value;
};

static const struct parse_case sizes[] = {
	{"0", 0},
	{"1048576", 1048576},
	{"1M", 1048576},
	{"1MiB", 1048576},
	{"1mib", 1048576},
	{"50MB", 50000000},
	{"50 mb", 50000000},
	{" \t1.5G ", 1610612736},
	{"0.5K", 512},
	{"0.3K", 307},
	{"7B", 7},
	{"3TB", 3000000000000ULL},
	{"9223372036854775808", 1ULL << 63},
	{"8388608T", 1ULL << 63},
	{"max", MW_UNLIMITED},
	{" MAX ", MW_UNLIMITED},
};

static const char *const wrong_sizes[] = {
	"",	 "	", "M",	  "-1",	  "+1",	   "1.5",  "1.",  "1.M", ".5M", "1e6",		 "0x10",
	"1 M M", "1MM",	   "1Mi", "maxx", "max 1", "1,5M", "1\n", "nan", "inf", "1.1234567890G",
};

static const char *const huge_sizes[] = {"9223372036854775809", "18446744073709551616", "99999999999999999999999999",
					 "8388609T", "8388608.1T"};

static void test_size_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		__u64 value = 1;

		assert_int_equal(mw_size_parse(sizes[i].text, &value), 0);
		assert_true(value == sizes[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong_sizes); i++) {
		__u64 value = 42;

		assert_int_equal(mw_size_parse(wrong_sizes[i], &value), -EINVAL);
		assert_int_equal(value, 42);
	}
	for (size_t i = 0; i < ARRAY_SIZE(huge_sizes); i++) {
		__u64 value = 42;

		assert_int_equal(mw_size_parse(huge_sizes[i], &value), -ERANGE);
		assert_int_equal(value, 42);
	}
}

static void test_size_format(void **state)
{
	static const struct parse_case cases[] = {
		{"0 B", 0},
		{"999 B", 999},
		{"1.0 KB", 1000},
		{"43.8 MB", 43800000},
		{"999.9 KB", 999949},
		{"1.0 MB", 999950},
		{"100.0 MB", 100000000},
		{"18.4 EB", MW_UNLIMITED - 1},
		{"max", MW_UNLIMITED},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(mw_size_format(cases[i].value, buf, sizeof(buf)), cases[i].text);
	assert_string_equal(mw_size_format(43800000, buf, 4), "43.");
}

/* What is printed exactly reads back exactly. */
static void test_size_exact(void **state)
{
	static const __u64 values[] = {0,	 1,	   999,	       1000,	   1024,
				       4096,	 1000000,  1048576,    1048577,	   100000000,
				       42500000, 67108864, 1ULL << 62, 1ULL << 63, MW_UNLIMITED};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		__u64 back = 1;

		assert_int_equal(mw_size_parse(mw_size_exact(values[i], buf, sizeof(buf)), &back), 0);
		assert_true(back == values[i]);
	}
	assert_string_equal(mw_size_exact(100000000, buf, sizeof(buf)), "100MB");
	assert_string_equal(mw_size_exact(64ULL << 20, buf, sizeof(buf)), "64MiB");
}

static void test_duration_parse(void **state)
{
	static const struct parse_case cases[] = {
		{"250ms", 250000000ULL},
		{"5s", 5000000000ULL},
		{"5", 5000000000ULL},
		{"0.25", 250000000ULL},
		{"1.5 min", 90000000000ULL},
		{"2h", 7200000000000ULL},
		{"10us", 10000},
		{"7 ns", 7},
		{"1d", 86400000000000ULL},
		{"2 min 10 s", 130000000000ULL},
		{"1h30m", 5400000000000ULL},
		{"0", 0},
	};
	static const char *const wrong[] = {"",	   "s",	  "-1s", "5x",	  "5 5",  "5s 5", "1e3s",
					    "1.s", "max", "5s;", "5 s s", "1,5s", "5s\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__u64 value = 1;

		assert_int_equal(mw_duration_parse(cases[i].text, &value), 0);
		assert_true(value == cases[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		__u64 value = 42;

		assert_int_equal(mw_duration_parse(wrong[i], &value), -EINVAL);
		assert_int_equal(value, 42);
	}
	assert_int_equal(mw_duration_parse("293y", &(__u64){0}), -EINVAL);
	assert_int_equal(mw_duration_parse("107000d", &(__u64){0}), -ERANGE);
	assert_int_equal(mw_duration_parse("106000d 106000d", &(__u64){0}), -ERANGE);
}

static void test_duration_format(void **state)
{
	static const struct parse_case cases[] = {
		{"0 ns", 0},
		{"85 us", 85000},
		{"1.2 ms", 1200000},
		{"312 ms", 312400000},
		{"1 ms", 999960},
		{"5.3 s", 5300000000ULL},
		{"36.7 s", 36700000000ULL},
		{"5 s", 5000000000ULL},
		{"59.9 s", 59940000000ULL},
		{"1 min", 59960000000ULL},
		{"2 min 10 s", 130000000000ULL},
		{"1 h", 3599600000000ULL},
		{"3 h 5 min", 11100000000000ULL},
		{"2 d 1 h", 176400000000000ULL},
	};
	char buf[48];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(mw_duration_format(cases[i].value, buf, sizeof(buf)), cases[i].text);
	assert_non_null(strstr(mw_duration_format(~0ULL, buf, sizeof(buf)), " d"));
}

static void test_duration_exact(void **state)
{
	static const __u64 values[] = {0, 1, 999, 1000, 1500000, 500000000, 5000000000ULL, 60000000000ULL, 1ULL << 63};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		__u64 back = 1;

		assert_int_equal(mw_duration_parse(mw_duration_exact(values[i], buf, sizeof(buf)), &back), 0);
		assert_true(back == values[i]);
	}
	assert_string_equal(mw_duration_exact(500000000, buf, sizeof(buf)), "500ms");
}

static void test_ratio_parse(void **state)
{
	static const char *const wrong[] = {"", "%", "-0.5", "0.5.5", "0,5", "1e-1", "0.5x", "50%%", "nan"};
	double value = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(mw_ratio_parse(wrong[i], &value), -EINVAL);
	assert_int_equal(mw_ratio_parse("1000001", &value), -ERANGE);
	assert_true(value == 42);
	assert_int_equal(mw_ratio_parse("0.85", &value), 0);
	assert_true(value == 0.85);
	assert_int_equal(mw_ratio_parse(" 85 % ", &value), 0);
	assert_true(value == 0.85);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size_parse),	cmocka_unit_test(test_size_format),
		cmocka_unit_test(test_size_exact),	cmocka_unit_test(test_duration_parse),
		cmocka_unit_test(test_duration_format), cmocka_unit_test(test_duration_exact),
		cmocka_unit_test(test_ratio_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
