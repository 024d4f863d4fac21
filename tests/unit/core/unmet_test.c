/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* When limits that do not stand are tried again, and what of it is news. */
#include "../unit.h"

#include "core/unmet.h"

#define S    1000000000ULL
#define WANT 50000000ULL

static void backs_off(void **state)
{
	static const unsigned waits_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct mw_unmet u = {0}, was;
	__u64 now = 100 * S;

	(void)state;
	assert_false(mw_unmet_due(&u, 0, now));
	assert_false(mw_unmet_met(&u, &was));
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
		assert_int_equal(mw_unmet_failed(&u, WANT, -EBUSY, now), i == 0); /* said once */
		assert_int_equal(u.tries, i + 1);
		assert_false(mw_unmet_due(&u, WANT + 1, now + waits_s[i] * S - 1));
		now += waits_s[i] * S;
		assert_true(mw_unmet_due(&u, WANT + 1, now));
	}
	for (int i = 0; i < 100; i++) /* no overflow, no matter how long */
		mw_unmet_failed(&u, WANT, -EBUSY, now);
	assert_int_equal(u.due_ns, now + MW_UNMET_LAST_NS);
	assert_int_equal(u.since_ns, 100 * S);
	u.due_ns = 0; /* under way */
	assert_false(mw_unmet_due(&u, 0, now + 1000 * S));
	assert_true(mw_unmet_met(&u, &was));
	assert_int_equal(was.since_ns, 100 * S);
	assert_int_equal(was.tries, 108);
	assert_false(mw_unmet_met(&u, &was));
	assert_int_equal(u.total, 108);
	assert_true(mw_unmet_failed(&u, WANT, -EBUSY, now));
	assert_int_equal(u.tries, 1);
	assert_int_equal(u.total, 109);
	mw_unmet_forget(&u);
	assert_int_equal(u.since_ns, 0);
	assert_int_equal(u.total, 109);
}

/* Whoever waits a minute need not, once it fits; but not more often than once a second. */
static void as_soon_as_it_fits(void **state)
{
	struct mw_unmet u = {0};

	(void)state;
	for (int i = 0; i < 7; i++)
		mw_unmet_failed(&u, WANT, -EBUSY, 100 * S);
	assert_false(mw_unmet_due(&u, WANT + 1, 110 * S));
	assert_true(mw_unmet_due(&u, WANT, 110 * S));
	assert_false(mw_unmet_due(&u, WANT, 101 * S - 1));
	assert_false(mw_unmet_due(&u, 0, 110 * S)); /* not known */
	mw_unmet_failed(&u, WANT, -ETIMEDOUT, 200 * S); /* how much is in use says nothing about PID 1 */
	mw_unmet_failed(&u, WANT, -ETIMEDOUT, 200 * S);
	assert_false(mw_unmet_due(&u, 1, 201 * S));
	assert_true(mw_unmet_due(&u, 1, 202 * S));
}

/* Another limit, or another reason, is news, and begins from the start. */
static void news(void **state)
{
	struct mw_unmet u = {0};

	(void)state;
	assert_true(mw_unmet_failed(&u, WANT, -EBUSY, 1 * S));
	assert_false(mw_unmet_failed(&u, WANT, -EBUSY, 2 * S));
	assert_true(mw_unmet_failed(&u, WANT / 2, -EBUSY, 3 * S));
	assert_int_equal(u.due_ns, 4 * S);
	assert_int_equal(u.since_ns, 1 * S); /* they have not stood since then */
	assert_string_equal(mw_unmet_why(&u), "more is in use, and the kernel cannot reclaim it");
	assert_true(mw_unmet_failed(&u, WANT / 2, -EACCES, 5 * S));
	assert_string_equal(mw_unmet_why(&u), strerror(EACCES));
	assert_true(mw_unmet_failed(&u, WANT / 2, -ENOENT, 6 * S));
	assert_string_equal(mw_unmet_why(&u), "systemd does not know its unit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backs_off),
		cmocka_unit_test(as_soon_as_it_fits),
		cmocka_unit_test(news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
