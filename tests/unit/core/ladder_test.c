/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/ladder.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MB 1000000ULL
#define S  MW_NS_PER_S

static struct mw_step notice(bool heard, enum mw_level level, __u64 began)
{
	return (struct mw_step){
		.rung = MW_RUNG_NOTIFY, .heard = heard, .level = level, .began_ns = began, .before = 45 * MB};
}

static void what_a_policy_allows(void **state)
{
	static const bool rows[MW_RUNG_MAX][MW_POLICY_MAX] = {
		[MW_RUNG_NOTIFY] = {true, true, true}, [MW_RUNG_RECLAIM] = {false, true, true},
		[MW_RUNG_LIFT] = {false, true, true},  [MW_RUNG_FREEZE] = {false, false, true},
		[MW_RUNG_KILL] = {false, false, true},
	};

	(void)state;
	for (enum mw_rung r = 0; r < MW_RUNG_MAX; r++) {
		for (enum mw_policy p = 0; p < MW_POLICY_MAX; p++)
			assert_int_equal(mw_rung_allowed(r, p), rows[r][p]);
	}
	assert_string_equal(mw_rung_name(MW_RUNG_RECLAIM), "reclaim");
}

static void grace(void **state)
{
	struct mw_ladder l = {0};

	(void)state;
	assert_false(mw_ladder_waits(NULL, S, 100 * S));
	mw_ladder_look(NULL, 1, MW_LEVEL_OK, S, 100 * S);
	assert_false(mw_ladder_open(NULL));
	assert_null(mw_ladder_before(NULL, MW_RUNG_KILL));
	assert_false(mw_ladder_waits(&l, S, 100 * S)); /* nobody was told */
	mw_ladder_begin(&l, notice(false, MW_LEVEL_HIBERNATE, 100 * S));
	assert_false(mw_ladder_waits(&l, S, 100 * S)); /* nobody listened */
	mw_ladder_begin(&l, notice(true, MW_LEVEL_HIBERNATE, 100 * S));
	assert_true(mw_ladder_waits(&l, S, 101 * S - 1));
	assert_true(mw_ladder_waits(&l, S, 100 * S - 1)); /* a now from before it was told */
	assert_false(mw_ladder_waits(&l, S, 101 * S));
	assert_false(mw_ladder_waits(&l, 0, 100 * S)); /* notify_grace = 0 */
}

static void what_it_brought(void **state)
{
	struct mw_ladder l = {0};
	const struct mw_step *s;

	(void)state;
	mw_ladder_look(&l, 45 * MB, MW_LEVEL_CRITICAL, S, 100 * S);
	mw_ladder_begin(&l, notice(true, MW_LEVEL_HIBERNATE, 100 * S));
	mw_ladder_look(&l, 44 * MB, MW_LEVEL_HIBERNATE, S, 100 * S + S / 2);
	assert_false(mw_ladder_at(&l, 0)->ended);
	mw_ladder_look(&l, 44 * MB, MW_LEVEL_HIBERNATE, S, 100 * S - 1);
	assert_true(mw_ladder_open(&l));
	mw_ladder_look(&l, 30 * MB, MW_LEVEL_OK, S, 100 * S + S / 2); /* the level fell: it worked */
	s = mw_ladder_at(&l, 0);
	assert_true(s->ended);
	assert_false(mw_ladder_open(&l));
	assert_int_equal(s->after, 30 * MB);
	assert_int_equal(s->level_after, MW_LEVEL_OK);
	assert_int_equal(s->took_ns, S / 2);
	mw_ladder_look(&l, 90 * MB, MW_LEVEL_CRITICAL, S, 300 * S); /* what comes later is not its doing */
	assert_int_equal(mw_ladder_at(&l, 0)->after, 30 * MB);
	mw_ladder_begin(&l, notice(true, MW_LEVEL_HIBERNATE, 400 * S));
	mw_ladder_look(&l, 45 * MB, MW_LEVEL_HIBERNATE, 0, 403 * S - 1);
	assert_false(mw_ladder_at(&l, 1)->ended);
	mw_ladder_look(&l, 45 * MB, MW_LEVEL_HIBERNATE, 0, 403 * S); /* or its time is over, also without a grace */
	assert_true(mw_ladder_at(&l, 1)->ended);
}

static void the_step_before(void **state)
{
	struct mw_ladder l = {0};

	(void)state;
	assert_null(mw_ladder_before(&l, MW_RUNG_KILL));
	mw_ladder_begin(&l, (struct mw_step){.rung = MW_RUNG_KILL, .began_ns = 90 * S});
	assert_null(mw_ladder_before(&l, MW_RUNG_KILL));
	mw_ladder_begin(&l, notice(true, MW_LEVEL_CRITICAL, 100 * S));
	mw_ladder_begin(&l, (struct mw_step){.rung = MW_RUNG_KILL, .began_ns = 101 * S, .before = 44 * MB});
	assert_int_equal(mw_ladder_at(&l, 1)->after, 44 * MB); /* the notice's time is over with that */
	assert_ptr_equal(mw_ladder_before(&l, MW_RUNG_KILL), mw_ladder_at(&l, 1));
	mw_ladder_begin(&l, (struct mw_step){.rung = MW_RUNG_LIFT, .began_ns = 102 * S});
	mw_ladder_begin(&l, (struct mw_step){.rung = MW_RUNG_KILL, .began_ns = 103 * S});
	assert_int_equal(mw_ladder_before(&l, MW_RUNG_KILL)->rung, MW_RUNG_KILL); /* the lift is under way */
	mw_ladder_begin(&l, (struct mw_step){.rung = MW_RUNG_RECLAIM, .began_ns = 500 * S});
	mw_ladder_end(&l, MW_RUNG_KILL, 0, MW_LEVEL_OK, 500 * S);
	assert_null(mw_ladder_before(&l, MW_RUNG_RECLAIM)); /* long ago */
}

static void a_few_are_kept(void **state)
{
	struct mw_ladder l = {0};

	(void)state;
	for (__u64 i = 0; i < 20; i++)
		mw_ladder_begin(&l, notice(true, MW_LEVEL_WARNING, i));
	assert_int_equal(l.count, MW_LADDER_KEPT);
	assert_int_equal(mw_ladder_at(&l, 0)->began_ns, 12);
	assert_int_equal(mw_ladder_at(&l, MW_LADDER_KEPT - 1)->began_ns, 19);
	assert_true(mw_ladder_at(&l, 0)->ended); /* each new one ended the one before */
	assert_false(mw_ladder_at(&l, MW_LADDER_KEPT - 1)->ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_policy_allows), cmocka_unit_test(grace),
		cmocka_unit_test(what_it_brought),	cmocka_unit_test(the_step_before),
		cmocka_unit_test(a_few_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
