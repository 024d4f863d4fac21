/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/event.h"

static struct mw_event good(void)
{
	return (struct mw_event){.type = MW_EVENT_PAUSE,
				 .size = sizeof(struct mw_event),
				 .kind = MW_PAUSE_MAX_RECLAIM,
				 .comm = "node",
				 .worker = "web-7"};
}

static int check(struct mw_event e)
{
	return mw_event_valid(&e, sizeof(e));
}

static void every_type_is_taken(void **state)
{
	struct mw_event e = good();

	(void)state;
	for (__u32 t = MW_EVENT_NONE + 1; t < MW_EVENT_MAX; t++) {
		e.type = (enum mw_event_type)t;
		assert_int_equal(check(e), 0);
	}
}

static void another_size_is_not(void **state)
{
	struct mw_event e = good();

	(void)state;
	assert_int_equal(mw_event_valid(&e, sizeof(e) - 1), -EINVAL);
	assert_int_equal(mw_event_valid(&e, sizeof(e) + 8), -EINVAL);
	assert_int_equal(mw_event_valid(&e, 0), -EINVAL);
	assert_int_equal(mw_event_valid(NULL, sizeof(e)), -EINVAL);
	e.size -= 8;
	assert_int_equal(check(e), -EINVAL);
}

static void unknown_numbers_are_not(void **state)
{
	struct mw_event e = good();

	(void)state;
	e.type = MW_EVENT_NONE;
	assert_int_equal(check(e), -EINVAL);
	e.type = MW_EVENT_MAX;
	assert_int_equal(check(e), -EINVAL);
	memset(&e.type, 0xff, sizeof(e.type));
	assert_int_equal(check(e), -EINVAL);
	e = good();
	e.kind = MW_PAUSE_MAX;
	assert_int_equal(check(e), -EINVAL);
}

static void text_without_an_end_is_not(void **state)
{
	struct mw_event e = good();

	(void)state;
	memset(e.comm, 'x', sizeof(e.comm));
	assert_int_equal(check(e), -EINVAL);
	e.comm[sizeof(e.comm) - 1] = 0;
	assert_int_equal(check(e), 0);
	memset(e.worker, 'x', sizeof(e.worker));
	assert_int_equal(check(e), -EINVAL);
}

static void alignment_does_not_matter(void **state)
{
	char bytes[sizeof(struct mw_event) + 1];
	struct mw_event e = good();

	(void)state;
	memcpy(bytes + 1, &e, sizeof(e));
	assert_int_equal(mw_event_valid(bytes + 1, sizeof(e)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_taken),	     cmocka_unit_test(another_size_is_not),
		cmocka_unit_test(unknown_numbers_are_not),   cmocka_unit_test(text_without_an_end_is_not),
		cmocka_unit_test(alignment_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
