/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "leak/evidence.h"
#include "util/clock.h"

#define MIB (1ULL << 20)
#define S   MW_NS_PER_S

static struct mw_kinds reading(__u64 at_s, __u64 heap, __u64 shmem, __u64 kernel, __u64 sock)
{
	const struct mw_usage u = {.time_ns = at_s * S,
				   .heap = heap * MIB,
				   .shmem = shmem * MIB,
				   .kernel = (kernel + 7) * MIB,
				   .slab_reclaimable = 7 * MIB,
				   .sock = sock * MIB};

	return mw_kinds_of(&u);
}

static void kinds_of_a_growth(void **state)
{
	struct mw_kinds before = reading(100, 20, 4, 2, 3), now = reading(220, 21, 34, 2, 0);
	struct mw_kinds_grown g = mw_kinds_compare(&before, &now);
	char buf[MW_EVIDENCE_TEXT];

	(void)state;
	assert_int_equal(g.bytes[MW_KIND_HEAP], MIB);
	assert_int_equal(g.bytes[MW_KIND_SHMEM], 30 * MIB);
	assert_int_equal(g.bytes[MW_KIND_KERNEL], 0);
	assert_int_equal(g.bytes[MW_KIND_SOCK], -3 * (__s64)MIB);
	assert_int_equal(g.total, 31 * MIB);
	assert_int_equal(g.most, MW_KIND_SHMEM);
	assert_string_equal(mw_kinds_say(&g, buf, sizeof(buf)),
			    "grew by 32.5 MB in 2 min: 31.5 MB shmem (files in tmpfs, memfd or shared memory)");
	now = reading(220, 30, 4, 32, 3);
	g = mw_kinds_compare(&before, &now);
	assert_string_equal(mw_kinds_say(&g, buf, sizeof(buf)),
			    "grew by 41.9 MB in 2 min: 31.5 MB kernel memory (open files, pipes, unix sockets, "
			    "threads, page tables), 10.5 MB heap");
	now = reading(220, 20, 4, 2, 3);
	g = mw_kinds_compare(&before, &now);
	assert_string_equal(mw_kinds_say(&g, buf, sizeof(buf)), "");
}

static const struct mw_kinds *before(struct mw_kinds_past *past, __u64 onset_ns)
{
	mw_kinds_onset(past, 0);
	mw_kinds_onset(past, onset_ns);
	return mw_kinds_before(past);
}

/* However long it goes on, there is a reading from before its onset, and not one from long before. */
static void a_reading_from_before(void **state)
{
	struct mw_kinds_past past = {0};

	(void)state;
	past.onset_ns = 5 * S;
	assert_null(mw_kinds_before(&past));
	for (__u64 s = 1000; s <= 200000; s++) {
		struct mw_kinds k = reading(s, s, 0, 0, 0);

		mw_kinds_note(&past, &k);
		assert_in_range(past.n, 1, MW_KINDS_KEPT);
	}
	assert_int_equal(past.kept[0].time_ns, 1000 * S);
	for (__u32 i = 1; i < past.n; i++)
		assert_true(past.kept[i].time_ns - past.kept[i - 1].time_ns <= 200000 / 7 * S);
	assert_true(past.kept[past.n - 1].time_ns > 170000 * S);
	assert_int_equal(before(&past, 1)->time_ns, 1000 * S);
	assert_int_equal(before(&past, past.kept[3].time_ns)->time_ns, past.kept[3].time_ns);
	assert_int_equal(before(&past, past.kept[3].time_ns - 1)->time_ns, past.kept[2].time_ns);
	assert_int_equal(before(&past, ~0ULL)->time_ns, past.kept[past.n - 1].time_ns);
	assert_null(before(&past, 0));
	/* A line that moves along with the growth does not take its beginning with it. */
	mw_kinds_onset(&past, past.kept[3].time_ns);
	mw_kinds_onset(&past, past.kept[9].time_ns);
	assert_ptr_equal(mw_kinds_before(&past), &past.kept[3]);
	mw_kinds_onset(&past, past.kept[2].time_ns);
	assert_ptr_equal(mw_kinds_before(&past), &past.kept[2]);
}

static struct mw_evidence evidence(__u64 before, __u64 of, __u64 untouched)
{
	return (struct mw_evidence){.grows = true,
				    .heap_before = before * MIB,
				    .touched_known = true,
				    .span_ns = 60 * S,
				    .of_bytes = of * MIB,
				    .untouched_bytes = untouched * MIB};
}

static const char *say(const struct mw_evidence *e, enum mw_evidence_fact fact, bool *against)
{
	static char buf[MW_EVIDENCE_TEXT];

	return mw_evidence_say(e, fact, against, buf, sizeof(buf));
}

static double weighed(const struct mw_evidence *e, double confidence)
{
	struct mw_trend t = {.verdict = MW_SUSPECT, .confidence = confidence};

	mw_evidence_weigh(e, &t);
	assert_int_equal(t.verdict, MW_SUSPECT);
	return t.confidence;
}

static void what_is_never_touched_speaks_for_it(void **state)
{
	struct mw_evidence e = evidence(10, 120, 100);
	double least, most;
	bool against;

	(void)state;
	assert_true(mw_evidence_untouched(&e, &least, &most));
	assert_true(least > 0.81 && least < 0.82 && most > 0.9 && most < 0.91);
	assert_string_equal(say(&e, MW_EVIDENCE_TOUCHED, &against),
			    "of 125.8 MB of memory that it held 83 % was not touched for 1 min");
	assert_false(against);
	assert_true(weighed(&e, 0.5) == 0.75);
	e.swapped_bytes = 30 * MIB;
	assert_string_equal(
		say(&e, MW_EVIDENCE_TOUCHED, &against),
		"of 125.8 MB of memory that it held 83 % was not touched for 1 min (31.5 MB of it swapped out)");
	e.span_ns = 12 * S; /* said, and no proof */
	assert_true(weighed(&e, 0.5) == 0.5);
	/* What was there before may be what is not touched. */
	e = evidence(80, 120, 100);
	assert_true(mw_evidence_untouched(&e, &least, &most));
	assert_true(least == 0.5 && most == 1);
	assert_true(weighed(&e, 0.5) == 0.5);
}

static void what_is_in_use_speaks_against_it(void **state)
{
	struct mw_evidence e = evidence(10, 120, 20);
	bool against;

	(void)state;
	assert_string_equal(say(&e, MW_EVIDENCE_TOUCHED, &against),
			    "what it holds is in use: of 125.8 MB of memory 83 % was touched within 1 min");
	assert_true(against);
	assert_true(weighed(&e, 0.5) == 0.25);
	/* In between nothing follows from it. */
	e = evidence(10, 120, 60);
	assert_true(weighed(&e, 0.5) == 0.5);
}

static void what_cannot_be_told(void **state)
{
	struct mw_evidence e = evidence(10, 120, 100);
	double least = 7, most = 7;
	bool against;

	(void)state;
	e.shmem = 20 * MIB; /* who reads a tmpfs touches no page table */
	assert_false(mw_evidence_untouched(&e, &least, &most));
	assert_string_equal(say(&e, MW_EVIDENCE_TOUCHED, &against), "");
	assert_true(weighed(&e, 0.5) == 0.5);
	e = evidence(120, 120, 100); /* nothing grown yet when it began */
	assert_false(mw_evidence_untouched(&e, &least, &most));
	e = evidence(10, 120, 100);
	e.touched_known = false;
	assert_false(mw_evidence_untouched(&e, &least, &most));
	e = evidence(10, 120, 100);
	e.grows = false;
	assert_false(mw_evidence_untouched(&e, &least, &most));
	assert_true(least == 7 && most == 7);
	for (int i = 0; i < MW_EVIDENCE_MAX; i++)
		assert_string_equal(say(&e, (enum mw_evidence_fact)i, &against), "");
}

static void one_place_speaks_for_it(void **state)
{
	struct mw_evidence e = {.grows = true, .site_share = 0.83, .site_samples = 55};
	struct mw_trend steady = {.verdict = MW_STEADY};
	bool against;

	(void)state;
	assert_string_equal(say(&e, MW_EVIDENCE_PLACE, &against),
			    "one place in the code holds 83 % of what its heap grew by, on 55 samples");
	assert_true(weighed(&e, 0.6) == 0.8);
	mw_evidence_weigh(&e, &steady);
	assert_true(steady.confidence == 0);
	e.site_samples = 29;
	assert_string_equal(say(&e, MW_EVIDENCE_PLACE, &against), "");
	assert_true(weighed(&e, 0.6) == 0.6);
	e.site_samples = 30;
	e.site_share = 0.49;
	assert_true(weighed(&e, 0.6) == 0.6);
}

static void its_objects_stand_for_it(void **state)
{
	struct mw_evidence e = {.grows = true,
				.site_share = 0.83,
				.site_samples = 55,
				.site = {.site = 7,
					 .mean_age_ns = 90 * S,
					 .had_bytes = 10 * MIB,
					 .kept_bytes = 98 * MIB / 10,
					 .touched_known = true,
					 .span_ns = 60 * S,
					 .pages = 60,
					 .untouched = 57}};
	bool against;

	(void)state;
	assert_string_equal(
		say(&e, MW_EVIDENCE_OBJECTS, &against),
		"of what that place held when it was first looked at 98 % is held still; of 60 of its pages 57 "
		"were not touched for 1 min");
	assert_false(against);
	assert_true(weighed(&e, 0.6) == 0.9); /* one place, and not touched */
	e.site.untouched = 6;
	assert_true(weighed(&e, 0.6) == 0.4); /* one place, and in use */
	say(&e, MW_EVIDENCE_OBJECTS, &against);
	assert_true(against);
	e.site.pages = 19;
	assert_true(weighed(&e, 0.6) == 0.8);
	e.site.had_bytes = 0;
	e.site.touched_known = false;
	assert_string_equal(say(&e, MW_EVIDENCE_OBJECTS, &against),
			    "what that place holds is 1 min 30 s old on average");
	/* The whole worker's memory goes before. */
	e.touched_known = true;
	e.span_ns = 60 * S;
	e.of_bytes = 100 * MIB;
	e.untouched_bytes = 90 * MIB;
	e.site.touched_known = true;
	e.site.pages = 60;
	assert_true(weighed(&e, 0.6) == 0.9);
}

static void what_is_swapped_out_and_stays_there(void **state)
{
	struct mw_evidence e = {.grows = true,
				.grown = {.total = 40 * MIB},
				.swap_known = true,
				.went_out = 29 * MIB,
				.came_back = 1 * MIB};
	bool against;

	(void)state;
	assert_string_equal(say(&e, MW_EVIDENCE_SWAP, &against),
			    "of 31.5 MB that was swapped out since the first look 97 % has not come back");
	assert_false(against);
	assert_true(weighed(&e, 0.5) == 0.75);
	e.went_out = 2 * MIB;
	e.came_back = 28 * MIB;
	assert_string_equal(say(&e, MW_EVIDENCE_SWAP, &against),
			    "of 31.5 MB that was swapped out since the first look 93 % came back");
	assert_true(against);
	assert_true(weighed(&e, 0.5) == 0.25);
	/* Too little of the growth to speak for it. */
	e = (struct mw_evidence){.grows = true,
				 .grown = {.total = 400 * MIB},
				 .swap_known = true,
				 .went_out = 29 * MIB};
	assert_true(weighed(&e, 0.5) == 0.5);
	e.went_out = MIB / 2;
	assert_string_equal(say(&e, MW_EVIDENCE_SWAP, &against), "");
	/* What the kernel says of all of it goes before. */
	e = evidence(10, 120, 20);
	e.swap_known = true;
	e.went_out = 100 * MIB;
	assert_true(weighed(&e, 0.5) == 0.25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_a_growth),
		cmocka_unit_test(a_reading_from_before),
		cmocka_unit_test(what_is_never_touched_speaks_for_it),
		cmocka_unit_test(what_is_in_use_speaks_against_it),
		cmocka_unit_test(what_cannot_be_told),
		cmocka_unit_test(one_place_speaks_for_it),
		cmocka_unit_test(its_objects_stand_for_it),
		cmocka_unit_test(what_is_swapped_out_and_stays_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
