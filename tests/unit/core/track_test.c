/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/track.h"
#include "util/clock.h"

#define S    MW_NS_PER_S
#define MS   MW_NS_PER_MS
#define PAGE 4096ULL
#define T0   (1000 * S)

static struct mw_look looks[MW_TRACK_POINTS];

static struct mw_usage usage(__u64 time_ns, __u64 pages)
{
	return (struct mw_usage){.time_ns = time_ns,
				 .current = pages * PAGE,
				 .heap = pages * PAGE / 2,
				 .bin = PAGE,
				 .high = MW_UNLIMITED,
				 .max = MW_UNLIMITED};
}

static void note(struct mw_track *t, __u64 time_ns, __u64 pages)
{
	struct mw_usage u = usage(time_ns, pages);

	mw_track_note(t, &u);
}

static void what_was_seen(void **state)
{
	struct mw_track t = {0};
	struct mw_usage u = usage(T0 + 123456, 100);

	(void)state;
	assert_int_equal(mw_track_read(NULL, looks), 0);
	assert_int_equal(mw_track_read(&t, looks), 0);
	u.high = 300 * PAGE;
	u.max = 400 * PAGE;
	mw_track_note(&t, &u);
	u = usage(T0 + 501 * MS, 120);
	mw_track_note(&t, &u);
	assert_int_equal(mw_track_read(&t, looks), 2);
	assert_int_equal(looks[0].time_ns, T0);
	assert_int_equal(looks[0].usage, 100 * PAGE);
	assert_int_equal(looks[0].heap, 50 * PAGE);
	assert_int_equal(looks[0].bin, PAGE);
	assert_int_equal(looks[0].high, 300 * PAGE);
	assert_int_equal(looks[0].max, 400 * PAGE);
	assert_int_equal(looks[1].time_ns, T0 + 501 * MS);
	assert_int_equal(looks[1].usage, 120 * PAGE);
	assert_true(looks[1].high == MW_UNLIMITED && looks[1].max == MW_UNLIMITED);
}

static void never_denser_than_2_hz(void **state)
{
	struct mw_track t = {0};
	__u32 n;

	(void)state;
	for (__u64 i = 0; i < 100; i++) /* 10 s at 10 Hz */
		note(&t, T0 + i * 100 * MS, i);
	n = mw_track_read(&t, looks);
	assert_int_equal(n, 20);
	for (__u32 i = 0; i < n; i++) /* the newest of each half second */
		assert_int_equal(looks[i].usage, (i * 5 + 4) * PAGE);
	note(&t, T0 + 5 * S, 4711); /* a time that goes back, and the same again */
	note(&t, T0 + 9900 * MS, 4711);
	assert_int_equal(mw_track_read(&t, looks), 20);
	assert_int_equal(looks[19].usage, 99 * PAGE);
}

static void the_last_minute(void **state)
{
	struct mw_track t = {0};
	__u32 n;

	(void)state;
	for (__u64 i = 0; i < 1000; i++)
		note(&t, T0 + i * 500 * MS, i);
	n = mw_track_read(&t, looks);
	assert_int_equal(n, MW_TRACK_POINTS);
	for (__u32 i = 0; i < n; i++) {
		assert_int_equal(looks[i].usage, (1000 - MW_TRACK_POINTS + i) * PAGE);
		assert_int_equal(looks[i].time_ns, T0 + (1000 - MW_TRACK_POINTS + i) * 500 * MS);
	}
	for (__u64 i = 1; i <= 30; i++) /* every five seconds: 120 points would be ten minutes */
		note(&t, T0 + 500 * S + i * 5 * S, i);
	n = mw_track_read(&t, looks);
	assert_int_equal(n, 13);
	assert_int_equal(looks[n - 1].time_ns - looks[0].time_ns, 60 * S);
	note(&t, T0 + 2000 * S, 7); /* after a gap all is new */
	assert_int_equal(mw_track_read(&t, looks), 1);
}

/* However uneven looks are, times stay right. */
static void times(void **state)
{
	struct mw_track t = {0};
	__u64 at = T0, seen[2000];
	uint64_t random = 88172645463325252ULL;
	__u32 count = 0, n;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		at += random % (3 * S) + 1;
		note(&t, at, 1);
		if (count && seen[count - 1] / (500 * MS) == at / (500 * MS))
			count--;
		seen[count++] = at / MS * MS;
		n = mw_track_read(&t, looks);
		for (__u32 k = 0; k < n; k++)
			assert_int_equal(looks[k].time_ns, seen[count - n + k]);
	}
}

static void limits_that_change(void **state)
{
	struct mw_track t = {0};
	struct mw_usage u;

	(void)state;
	for (__u64 i = 0; i < 120; i++) {
		u = usage(T0 + i * 500 * MS, 1);
		u.max = (100 + i / 20) * PAGE; /* six of them */
		u.high = i % 2 ? MW_UNLIMITED : i * PAGE;
		mw_track_note(&t, &u);
	}
	assert_int_equal(mw_track_read(&t, looks), 120);
	for (__u64 i = 0; i < 120; i++) {
		assert_int_equal(looks[i].max, (100 + i / 20) * PAGE);
		assert_true(looks[i].high == (i % 2 ? MW_UNLIMITED : i * PAGE));
	}
	u = usage(T0 + 60 * S, 1); /* a seventh: the oldest is forgotten, the next one stands for it */
	mw_track_note(&t, &u);
	mw_track_read(&t, looks);
	assert_int_equal(looks[0].max, 101 * PAGE);
	assert_true(looks[119].max == MW_UNLIMITED);
}

static void pauses(void **state)
{
	struct mw_track t = {0};

	(void)state;
	mw_track_paused(&t, 1500000);
	note(&t, T0, 1);
	mw_track_paused(&t, 700000); /* 1.2 ms with what was left */
	note(&t, T0 + 100 * MS, 1);
	mw_track_paused(&t, 100 * S);
	note(&t, T0 + 600 * MS, 1);
	note(&t, T0 + 1100 * MS, 1);
	assert_int_equal(mw_track_read(&t, looks), 3);
	assert_int_equal(looks[0].stalled_ns, 2 * MS);
	assert_int_equal(looks[1].stalled_ns, 65535 * MS); /* as much as there is room for */
	assert_int_equal(looks[2].stalled_ns, 0);
	assert_int_equal(t.stalled_ns, 100 * S + 2200000);
}

static void usage_alone(void **state)
{
	struct mw_track t = {0};
	__u64 time_ns, bytes;

	(void)state;
	assert_false(mw_track_usage(&t, 0, &time_ns, &bytes));
	for (__u64 i = 0; i < 300; i++)
		note(&t, T0 + i * 700 * MS, i);
	for (__u32 i = 0; i < MW_TRACK_POINTS; i++) {
		assert_true(mw_track_usage(&t, i, &time_ns, &bytes));
		assert_int_equal(time_ns, T0 + (299 - i) * 700 * MS);
		assert_int_equal(bytes, (299 - i) * PAGE);
	}
	assert_false(mw_track_usage(&t, MW_TRACK_POINTS, &time_ns, &bytes));
}

static void huge_sizes(void **state)
{
	struct mw_track t = {0};
	struct mw_usage u = {.time_ns = T0, .current = 1ULL << 60, .max = 1ULL << 60, .high = (1ULL << 44) - PAGE};

	(void)state;
	mw_track_note(&t, &u);
	mw_track_read(&t, looks);
	assert_true(looks[0].usage != MW_UNLIMITED && looks[0].usage >= (1ULL << 44) - 2 * PAGE);
	assert_true(looks[0].max == MW_UNLIMITED); /* more than any machine has: none */
}

static void what_a_daemon_left(void **state)
{
	struct mw_track good = {.cgroup_id = 7, .name = "web"}, t;

	(void)state;
	note(&good, T0, 1);
	assert_true(mw_track_valid(&good, T0));
	assert_false(mw_track_valid(&good, T0 - 1)); /* not yet */
	t = good, t.cgroup_id = 0;
	assert_false(mw_track_valid(&t, T0));
	t = good, t.count = MW_TRACK_POINTS + 1;
	assert_false(mw_track_valid(&t, T0));
	t = good, t.n_max = MW_TRACK_LIMITS + 1;
	assert_false(mw_track_valid(&t, T0));
	t = good, memset(t.name, 'x', sizeof(t.name));
	assert_false(mw_track_valid(&t, T0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_seen),      cmocka_unit_test(never_denser_than_2_hz),
		cmocka_unit_test(the_last_minute),    cmocka_unit_test(times),
		cmocka_unit_test(limits_that_change), cmocka_unit_test(pauses),
		cmocka_unit_test(usage_alone),	      cmocka_unit_test(huge_sizes),
		cmocka_unit_test(what_a_daemon_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
