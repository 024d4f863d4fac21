/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/config.h"
#include "util/cleanup.h"

/* The table every document quotes. */
static void test_builtin_limits(void **state)
{
	static const struct {
		const char *name;
		__u64 max, high, low, bin;
	} rows[] = {
		{"context", 100000000, 90000000, 10000000, 50000000},
		{"tool", 50000000, 42500000, 5000000, 25000000},
		{"transport", 30000000, 24000000, 3000000, 15000000},
		{"generic", 20000000, 16000000, 2000000, 10000000},
	};
	struct mw_config cfg;

	(void)state;
	assert_int_equal(mw_config_defaults(&cfg), 0);
	assert_int_equal(cfg.n_classes, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mw_class *cls = mw_config_class(&cfg, rows[i].name);
		struct mw_limits l;

		assert_non_null(cls);
		assert_true(cls->builtin);
		l = mw_profile_limits(&cls->profile);
		assert_int_equal(l.max, rows[i].max);
		assert_int_equal(l.high, rows[i].high);
		assert_int_equal(l.low, rows[i].low);
		assert_int_equal(l.swap_max, rows[i].max);
		assert_true(l.oom_group);
		assert_int_equal(cls->profile.max_bin_heap, rows[i].bin);
		assert_int_equal(cls->profile.policy, MW_POLICY_PROTECT);
		assert_int_equal(cls->profile.pause_budget_ns, 10000000);
	}
	mw_config_free(&cfg);
}

static void test_limits_edges(void **state)
{
	struct mw_profile p = {.max_heap = MW_UNLIMITED,
			       .hibernate_threshold = 0.8,
			       .swap_max = MW_AUTO,
			       .low = MW_AUTO};
	struct mw_limits l = mw_profile_limits(&p);

	(void)state;
	assert_true(l.max == MW_UNLIMITED && l.high == MW_UNLIMITED && l.swap_max == MW_UNLIMITED && l.low == 0);
	p = (struct mw_profile){.max_heap = 1ULL << 63, .hibernate_threshold = 1, .swap_max = 0, .low = 7};
	l = mw_profile_limits(&p);
	assert_true(l.max == 1ULL << 63 && l.high == 1ULL << 63 && l.swap_max == 0 && l.low == 7);
	assert_false(l.oom_group);
}

static void test_thp(void **state)
{
	struct mw_profile p = {.max_heap = (64ULL << 20) - 1, .thp = MW_THP_AUTO};

	(void)state;
	assert_true(mw_profile_thp_off(&p));
	p.max_heap++;
	assert_false(mw_profile_thp_off(&p));
	p.thp = MW_THP_OFF;
	assert_true(mw_profile_thp_off(&p));
	p.max_heap = 1 << 20;
	p.thp = MW_THP_ON;
	assert_false(mw_profile_thp_off(&p));
}

static void test_policy_names(void **state)
{
	enum mw_policy policy = MW_POLICY_MAX;

	(void)state;
	for (int i = 0; i < MW_POLICY_MAX; i++) {
		assert_int_equal(mw_policy_parse(mw_policy_name((enum mw_policy)i), &policy), 0);
		assert_int_equal(policy, i);
	}
	assert_int_equal(mw_policy_parse("strict ", &policy), -EINVAL);
	assert_int_equal(policy, MW_POLICY_MAX - 1);
	assert_string_equal(mw_policy_name(MW_POLICY_MAX), "unknown");
	assert_string_equal(mw_policy_name((enum mw_policy) - 1), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin_limits),
		cmocka_unit_test(test_limits_edges),
		cmocka_unit_test(test_thp),
		cmocka_unit_test(test_policy_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
