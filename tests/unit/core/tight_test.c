/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/config_impl.h"
#include "core/tight.h"
#include "util/cleanup.h"

#define MB 1000000ULL

static struct mw_profile tool(void)
{
	struct mw_profile p;

	mw_profile_default("tool", &p);
	return p;
}

static int say(struct mw_tight *t, const struct mw_profile *base, const char *key, const char *value,
	       struct mw_error *err)
{
	return mw_tight_take(t, base, &(struct mw_kv){key, value}, 1, err);
}

static void takes_what_is_less(void **state)
{
	struct mw_profile base = tool(), p = base;
	struct mw_tight t = {0};
	struct mw_error err = {""};

	(void)state;
	mw_tight_apply(&t, &p);
	assert_true(mw_profile_same(&p, &base));
	assert_int_equal(say(&t, &base, "max_heap", "20MB", &err), 0);
	mw_tight_apply(&t, &p);
	assert_int_equal(p.max_heap, 20 * MB);
	assert_int_equal(p.max_bin_heap, 10 * MB); /* half of it, as by default */
	assert_int_equal(mw_profile_limits(&p).swap_max, 20 * MB);
	assert_int_equal(mw_profile_limits(&p).low, 2 * MB);
	assert_null(mw_tight_exceeds(&p, &base));
	assert_int_equal(say(&t, &base, "max_heap", "50MB", &err), 0); /* back, up to what the class has */
	assert_int_equal(say(&t, &base, "policy", "strict", &err), 0);
	assert_int_equal(say(&t, &base, "swap_max", "0", &err), 0);
	assert_int_equal(say(&t, &base, "low", "0", &err), 0);
	assert_int_equal(say(&t, &base, "hibernate_threshold", "0.5", &err), 0);
	assert_int_equal(say(&t, &base, "max_bin_heap", "5MB", &err), 0);
	p = base;
	mw_tight_apply(&t, &p);
	assert_int_equal(p.max_heap, 50 * MB);
	assert_int_equal(p.max_bin_heap, 5 * MB);
	assert_int_equal(p.policy, MW_POLICY_STRICT);
	assert_int_equal(mw_profile_limits(&p).high, 25 * MB);
	assert_int_equal(mw_profile_limits(&p).swap_max, 0);
	assert_int_equal(mw_profile_limits(&p).low, 0);
	assert_int_equal(say(&t, &base, "max_bin_heap", "default", &err), 0);
	mw_tight_drop(&t, "policy");
	p = base;
	mw_tight_apply(&t, &p);
	assert_int_equal(p.max_bin_heap, 25 * MB);
	assert_int_equal(p.policy, MW_POLICY_PROTECT);
}

static void refuses_the_rest(void **state)
{
	static const struct {
		const char *key, *value, *says;
		int code;
	} rows[] = {
		{"max_heap", "50000001", "looser than 50MB", -EPERM},
		{"max_heap", "max", "looser than", -EPERM},
		{"max_bin_heap", "26MB", "looser than 25MB", -EPERM},
		{"max_bin_heap", "auto", "expected a size", -EINVAL},
		{"max_bin_heap", "max", "looser", -EPERM},
		{"swap_max", "max", "looser", -EPERM},
		{"swap_max", "auto", "expected a size", -EINVAL},
		{"low", "6MB", "looser than 5MB", -EPERM},
		{"hibernate_threshold", "0.9", "looser than 0.85", -EPERM},
		{"policy", "observe", "looser than protect", -EPERM},
		{"max_heap", "lots", "found \"lots\", expected a size", -EINVAL},
		{"max_heap", "4K", "expected a size", -EINVAL},
		{"pace", "no", "expected max_heap", -EPERM},
		{"oom_group", "no", "expected max_heap", -EPERM},
		{"selectable", "yes", "expected max_heap", -EPERM},
		{"no-such-key", "1", "expected max_heap", -EPERM},
	};
	const struct mw_kv both[] = {{"max_heap", "10MB"}, {"low", "max"}};
	struct mw_profile base = tool();
	struct mw_tight t = {0};
	struct mw_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		err = (struct mw_error){""};
		assert_int_equal(say(&t, &base, rows[i].key, rows[i].value, &err), rows[i].code);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s = %s: %s", rows[i].key, rows[i].value, err.text);
		assert_int_equal(t.set, 0);
	}
	assert_true(mw_tight_take(&t, &base, both, ARRAY_SIZE(both), &err) < 0);
	assert_int_equal(t.set, 0); /* all or none */
	base.share = true;
	assert_int_equal(say(&t, &base, "max_heap", "10MB", &err), -EPERM);
	assert_int_equal(mw_tight_take(&t, &base, NULL, 0, &err), 0);
}

/* Whatever is said and however the class changes then: never looser than the class, and never at odds with itself. */
static void always_sound(void **state)
{
	static const char *const sizes[] = {"1MiB", "3MB", "20MB", "50MB", "default"};
	static const __u64 heaps[] = {MW_UNLIMITED, 100 * MB, 10 * MB, 2 * MB};
	struct mw_section section = {.kind = MW_SECTION_WORKER};
	struct mw_profile base = tool();

	(void)state;
	base.max_bin_heap = base.max_heap; /* given, so that it does not follow */
	base.bin_follows = false;
	base.low = 30 * MB;
	for (size_t i = 0; i < 5 * 5 * 5 * ARRAY_SIZE(heaps); i++) {
		struct mw_profile now = base;
		struct mw_tight t = {0};
		struct mw_profile p;
		struct mw_error err = {""};

		(void)say(&t, &base, "max_heap", sizes[i % 5], NULL);
		(void)say(&t, &base, "max_bin_heap", sizes[i / 5 % 5], NULL);
		(void)say(&t, &base, "low", sizes[i / 25 % 5], NULL);
		(void)say(&t, &base, "hibernate_threshold", i % 2 ? "0.1" : "default", NULL);
		now.max_heap = heaps[i / 125];
		now.max_bin_heap = now.max_heap;
		now.low = now.max_heap == MW_UNLIMITED ? 0 : now.max_heap / 2;
		p = now;
		mw_tight_apply(&t, &p);
		if (mw_profile_check(&p, &section, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		assert_null(mw_tight_exceeds(&p, &now));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_less),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(always_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
