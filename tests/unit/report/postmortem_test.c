/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Stories with a known end: guilty and innocent ones, and what must not be said of them. */
#include "../unit.h"

#include <signal.h>

#include "report/postmortem.h"
#include "util/clock.h"

#define S    MW_NS_PER_S
#define MB   1000000ULL
#define END  (1000 * S)
#define LATE (END - 200 * MW_NS_PER_MS) /* the last look */

static struct mw_incident inc;
static struct mw_worker w;
static struct mw_usage last;
static struct mw_look looks[MW_TRACK_POINTS];
static struct mw_scene s;
static struct mw_prevention prevent[MW_PREVENTIONS];
static size_t n_prevent;
static struct mw_sites sites;

static int setup(void **state)
{
	(void)state;
	inc = (struct mw_incident){.reason = MW_REASON_HEAP_SIZE, .wait_status = SIGKILL, .signal = SIGKILL};
	w = (struct mw_worker){.name = "web-7", .class_name = "tool"};
	w.profile.policy = MW_POLICY_PROTECT;
	w.profile.max_heap = 50 * MB;
	w.profile.max_bin_heap = 25 * MB;
	w.limits.high = 42 * MB;
	last = (struct mw_usage){.time_ns = LATE, .max = 50 * MB, .high = 42 * MB};
	sites = (struct mw_sites){0};
	s = (struct mw_scene){.inc = &inc,
			      .w = &w,
			      .last = &last,
			      .looks = looks,
			      .end_ns = END,
			      .limit_bytes = MW_UNLIMITED,
			      .host_bytes = 8000 * MB,
			      .swap_bytes = 1000 * MB};
	return 0;
}

/* The next of them, half a second after the one before. */
static void look(__u64 usage, __u64 bin)
{
	if (s.n_looks == MW_TRACK_POINTS) {
		memmove(looks, looks + 1, sizeof(looks) - sizeof(looks[0]));
		s.n_looks--;
	}
	looks[s.n_looks++] =
		(struct mw_look){.usage = usage, .heap = usage - bin, .bin = bin, .high = 42 * MB, .max = last.max};
	for (__u32 i = 0; i < s.n_looks; i++)
		looks[i].time_ns = LATE - (s.n_looks - 1 - i) * S / 2;
	last.current = usage;
	last.heap = usage - bin;
	last.bin = bin;
	w.peak = usage > w.peak ? usage : w.peak;
}

static void line(__u32 n, __u64 from, __u64 to)
{
	for (__u32 i = 0; i < n; i++)
		look(from + (to - from) * i / (n - 1), 0);
}

static struct mw_neighbour *neighbour(const char *name, __u64 usage, __u64 grown)
{
	struct mw_neighbour *n = &s.near[s.n_near++];

	*n = (struct mw_neighbour){.usage = usage,
				   .charged = usage,
				   .max = 50 * MB,
				   .high = 42 * MB,
				   .max_bin = 25 * MB,
				   .grown = grown,
				   .span_ns = 10 * S};
	snprintf(n->name, sizeof(n->name), "%s", name);
	snprintf(n->class_name, sizeof(n->class_name), "tool");
	return n;
}

static void conclude(void)
{
	memset(prevent, 0x5a, sizeof(prevent));
	n_prevent = mw_prevent(&s, prevent);
	assert_true(n_prevent <= MW_PREVENTIONS);
}

static void expect(enum mw_by by, enum mw_led led)
{
	assert_string_equal(mw_by_name(mw_by_of(&s)), mw_by_name(by));
	assert_string_equal(mw_led_name(mw_course_of(&s).led), mw_led_name(led));
	conclude();
}

static void says(const char *part)
{
	char text[1024];

	if (!strstr(mw_cause_text(&s, text, sizeof(text)), part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static bool advised(const char *part)
{
	for (size_t i = 0; i < n_prevent; i++)
		if (strstr(prevent[i].text, part) || strstr(prevent[i].setting, part))
			return true;
	return false;
}

static void a_leak_with_its_line(void **state)
{
	(void)state;
	line(120, 10 * MB, 49 * MB);
	w.trend = (struct mw_trend){.verdict = MW_LEAK, .rate_bytes_per_s = 650000};
	snprintf(sites.top, sizeof(sites.top),
		 "62 %% of what its heap grew by (30.1 MB) at remember_forever leak.c:13");
	w.sites = &sites;
	expect(MW_BY_OWN_MAX, MW_LED_LEAK);
	says("the kernel killed it at its own memory.max of 50.0 MB; before that it grew as a leak does,");
	says("leak.c:13");
	assert_int_equal(n_prevent, 2);
	assert_int_equal(prevent[0].kind, MW_PREVENT_FIX);
	assert_true(advised("leak.c:13"));
	assert_true(advised("only delays it: at 650.0 KB/s another 50.0 MB last 1 min 1"));
	assert_false(advised("max_heap="));
	inc.reason = MW_REASON_ADMIN; /* somebody saw it coming */
	expect(MW_BY_ADMIN, MW_LED_LEAK);
	assert_int_equal(n_prevent, 1);
	assert_true(advised("leak.c:13"));
}

/* The kernel may hold it at its limit for long: that is no burst, and more room would not have helped. */
static void a_leak_that_stood_at_its_limit(void **state)
{
	(void)state;
	line(30, 1 * MB, 50 * MB);
	line(20, 50 * MB, 50 * MB);
	expect(MW_BY_OWN_MAX, MW_LED_GROWTH);
	says("grew steadily from 1.0 MB to 50.0 MB in 14");
	w.trend_told = MW_LEAK; /* and steady since */
	expect(MW_BY_OWN_MAX, MW_LED_LEAK);
	assert_true(advised("only delays it"));
	assert_false(advised("max_heap="));
}

static void a_leak_nobody_sampled(void **state)
{
	(void)state;
	line(60, 10 * MB, 49 * MB);
	expect(MW_BY_OWN_MAX, MW_LED_GROWTH);
	says("grew steadily from 10.0 MB to 49.0 MB in 29");
	assert_true(advised("memweir set class tool heap_sample=yes"));
	assert_true(advised("only delays it"));
	assert_false(advised("max_heap="));
}

static void a_burst(void **state)
{
	(void)state;
	line(100, 20 * MB, 20 * MB);
	line(6, 22 * MB, 49 * MB);
	expect(MW_BY_OWN_MAX, MW_LED_BURST);
	says("it grew in a burst, from");
	assert_true(advised("memweir set worker web-7 max_heap=65MB"));
	assert_false(advised("delays"));
	neighbour("other", 46 * MB, 0)->level = MW_LEVEL_CRITICAL; /* then it is the class that is too small */
	conclude();
	assert_true(advised("memweir set class tool max_heap=65MB --save"));
}

static void a_burst_between_two_looks(void **state)
{
	(void)state;
	line(100, 20 * MB, 20 * MB);
	expect(MW_BY_OWN_MAX, MW_LED_BURST);
	says("the last look saw 20.0 MB, so the last 30.0 MB came in less than 200 ms");
	assert_true(advised("max_heap="));
}

static void at_its_limit_all_the_time(void **state)
{
	(void)state;
	line(120, 49 * MB, 49500000);
	expect(MW_BY_OWN_MAX, MW_LED_LEVEL);
	says("it had stood at 49.5 MB for 59");
	assert_true(advised("max_heap=65MB"));
	s.host_bytes = 100 * MB; /* a limit that is more than half of the host is no advice */
	conclude();
	assert_int_equal(n_prevent, 0);
}

static void files_in_tmpfs(void **state)
{
	(void)state;
	for (__u64 i = 0; i < 60; i++)
		look(10 * MB + i * 600000, i * 600000);
	last.shmem = 35 * MB;
	w.trend = (struct mw_trend){.verdict = MW_GROWING, .rate_bytes_per_s = 1200000};
	expect(MW_BY_OWN_MAX, MW_LED_BIN);
	says("is bin: shmem 35.0 MB, sockets 0 B");
	assert_int_equal(n_prevent, 1);
	assert_true(advised("tmpfs, memfd or shared memory: 35.0 MB"));
}

static void a_neighbour_filled_what_they_share(void **state)
{
	struct mw_neighbour *n;

	(void)state;
	inc.reason = MW_REASON_HOST_OOM;
	s.limit = MW_LIMIT_CLASS;
	s.limit_bytes = 200 * MB;
	last.max = MW_UNLIMITED;
	line(120, 30 * MB, 30500000);
	n = neighbour("greedy", 150 * MB, 120 * MB);
	n->max = MW_UNLIMITED;
	neighbour("quiet", 10 * MB, 0);
	expect(MW_BY_CLASS, MW_LED_NEIGHBOUR);
	says("all workers of class tool together met the limit of 200.0 MB; greedy (tool) filled it, +120.0 MB in 10 "
	     "s");
	assert_int_equal(prevent[0].kind, MW_PREVENT_PROFILE);
	assert_true(advised("memweir set worker greedy max_heap=38MB"));
	assert_false(advised("worker web-7"));
	assert_false(advised("fix")); /* the victim has nothing to mend */
}

static void it_filled_the_shared_limit_itself(void **state)
{
	(void)state;
	inc.reason = MW_REASON_HOST_OOM;
	s.limit = MW_LIMIT_TREE;
	s.limit_bytes = 200 * MB;
	last.max = MW_UNLIMITED;
	line(60, 10 * MB, 180 * MB);
	neighbour("quiet", 10 * MB, 2 * MB);
	expect(MW_BY_TREE, MW_LED_GROWTH);
	assert_int_equal(prevent[0].kind, MW_PREVENT_FIX);
	assert_false(advised("quiet"));
}

static void the_host_was_short(void **state)
{
	char text[400];

	(void)state;
	inc.reason = MW_REASON_HOST_OOM;
	s.limit = MW_LIMIT_HOST;
	s.swap_bytes = 0;
	line(60, 40 * MB, 40 * MB);
	neighbour("smaller", 20 * MB, 0)->low = 25 * MB;
	neighbour("larger", 45 * MB, 0)->idle = true;
	expect(MW_BY_HOST, MW_LED_LEVEL);
	says("the host was out of memory");
	assert_true(advised("the host has no swap"));
	assert_true(advised("enable_hibernation=yes"));
	assert_false(advised("max_heap="));
	mw_why_not_text(&s, &s.near[0], text, sizeof(text));
	assert_string_equal(text,
			    "the kernel takes the largest: web-7 had 2.0 times as much; nothing is reclaimed from "
			    "it either, it is within its memory.low");
	mw_why_not_text(&s, &s.near[1], text, sizeof(text));
	assert_non_null(strstr(text, "it had more, but the kernel goes by the largest single process"));
	s.limit = MW_LIMIT_NONE; /* nobody said which it was: no guess */
	expect(MW_BY_HOST_OR_ABOVE, MW_LED_LEVEL);
	says("the host, or a cgroup that contains it");
	assert_false(advised("swap;"));
	assert_false(advised("no swap:"));
}

static void a_limit_that_is_not_ours(void **state)
{
	(void)state;
	inc.reason = MW_REASON_HOST_OOM;
	s.limit = MW_LIMIT_ANCESTOR;
	snprintf(s.limit_path, sizeof(s.limit_path), "/kubepods.slice/pod1");
	line(60, 40 * MB, 40 * MB);
	expect(MW_BY_ABOVE, MW_LED_LEVEL);
	says("at the memory.max of /kubepods.slice/pod1, which contains it and is not memweir's");
	assert_int_equal(n_prevent, 0);
}

static void killed_by_strict(void **state)
{
	char text[400];

	(void)state;
	inc.reason = MW_REASON_SQUEEZE;
	w.profile.policy = MW_POLICY_STRICT;
	line(120, 10 * MB, 44 * MB);
	w.trend = (struct mw_trend){.verdict = MW_SUSPECT, .rate_bytes_per_s = 500000};
	expect(MW_BY_SQUEEZE, MW_LED_LEAK);
	says("memweir killed it (policy strict): it stayed over its soft limit of 42.0 MB and nothing could be freed");
	w.squeeze.usage_at_lift = 47 * MB;
	says("memweir killed it (policy strict): it stayed over its soft limit of 42.0 MB and nothing more could be "
	     "freed");
	assert_int_equal(prevent[0].kind, MW_PREVENT_FIX);
	assert_true(advised("policy protect would have let it go on up to its hard limit, for 12 s"));
	neighbour("other", 21 * MB, 0);
	assert_string_equal(mw_why_not_text(&s, &s.near[0], text, sizeof(text)),
			    "its own soft limit was not reached: 50 % of it");
}

static void over_its_bin_limit(void **state)
{
	(void)state;
	inc.reason = MW_REASON_BIN_LIMIT;
	w.profile.policy = MW_POLICY_STRICT;
	for (__u64 i = 0; i < 60; i++)
		look(5 * MB + i * 500000, i * 500000);
	last.sock = 28 * MB;
	expect(MW_BY_BIN, MW_LED_BIN);
	says("its bin stayed over max_bin_heap of 25.0 MB");
	assert_true(advised("what waits in its sockets, or read it: 28.0 MB"));
	inc.saved_bytes = 5 * MB; /* it was reclaimed, and lives */
	expect(MW_BY_NONE, MW_LED_NOTHING);
	assert_int_equal(n_prevent, 0);
}

static void lifted_in_time(void **state)
{
	(void)state;
	inc.reason = MW_REASON_LIFT;
	w.trend.verdict = MW_SUSPECT;
	w.trend.rate_bytes_per_s = 300000;
	line(60, 20 * MB, 38 * MB);
	expect(MW_BY_NONE, MW_LED_LEAK);
	says("it lives; before that it grew as a leak may, from 20.0 MB to 38.0 MB");
	assert_true(advised("a higher limit only delays it"));
	inc.reason = MW_REASON_EXIT;
	conclude();
	says("it ended by itself");
	assert_int_equal(n_prevent, 0);
}

static void innocent_ends(void **state)
{
	static const enum mw_reason reasons[] = {MW_REASON_ADMIN,     MW_REASON_UNSEEN, MW_REASON_LIFT,
						 MW_REASON_HIBERNATE, MW_REASON_FREEZE, MW_REASON_EXIT};

	(void)state;
	line(60, 10 * MB, 12 * MB);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		inc.reason = reasons[i];
		conclude();
		assert_int_equal(n_prevent, 0); /* nothing to be prevented, or nothing known: no advice */
	}
	inc.reason = MW_REASON_SIGNAL;
	inc.signal = SIGSEGV;
	expect(MW_BY_SIGNAL, MW_LED_NOTHING);
	says("signal 11 (SIGSEGV) ended it");
	assert_int_equal(n_prevent, 1);
	assert_true(advised("core dump"));
	assert_false(advised("max_heap"));
	inc.signal = SIGKILL;
	conclude();
	assert_true(advised("find who sends SIGKILL"));
	s.n_looks = 0;
	line(60, 12 * MB, 45 * MB); /* near its limit it is worth a word */
	expect(MW_BY_SIGNAL, MW_LED_GROWTH);
}

static void too_little_was_recorded(void **state)
{
	(void)state;
	expect(MW_BY_OWN_MAX, MW_LED_UNKNOWN);
	says("too little was recorded");
	look(20 * MB, 0);
	expect(MW_BY_OWN_MAX, MW_LED_UNKNOWN);
}

static void own_limits_of_neighbours(void **state)
{
	char text[400];

	(void)state;
	line(60, 10 * MB, 49 * MB);
	neighbour("half", 20500000, 0);
	neighbour("free", 20 * MB, 0)->max = MW_UNLIMITED;
	assert_string_equal(mw_why_not_text(&s, &s.near[0], text, sizeof(text)),
			    "its own limit was not reached: 41 % of 50.0 MB");
	assert_string_equal(mw_why_not_text(&s, &s.near[1], text, sizeof(text)), "it has no limit of its own to meet");
}

static void limits_people_would_write(void **state)
{
	(void)state;
	assert_int_equal(mw_limit_with_room(0), 0);
	assert_int_equal(mw_limit_with_room(1), MB);
	assert_int_equal(mw_limit_with_room(10 * MB), 13 * MB);
	assert_int_equal(mw_limit_with_room(50 * MB), 65 * MB);
	assert_int_equal(mw_limit_with_room(100 * MB), 130 * MB);
	assert_int_equal(mw_limit_with_room(1200 * MB), 1500 * MB);
	for (__u64 peak = MB; peak < 100000 * MB; peak += peak / 7) {
		__u64 limit = mw_limit_with_room(peak);

		assert_true(limit >= peak + peak / 4 && limit <= peak + peak / 2 + MB);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, setup)
		T(a_leak_with_its_line),
		T(a_leak_that_stood_at_its_limit),
		T(a_leak_nobody_sampled),
		T(a_burst),
		T(a_burst_between_two_looks),
		T(at_its_limit_all_the_time),
		T(files_in_tmpfs),
		T(a_neighbour_filled_what_they_share),
		T(it_filled_the_shared_limit_itself),
		T(the_host_was_short),
		T(a_limit_that_is_not_ours),
		T(killed_by_strict),
		T(over_its_bin_limit),
		T(lifted_in_time),
		T(innocent_ends),
		T(too_little_was_recorded),
		T(own_limits_of_neighbours),
		T(limits_people_would_write),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
