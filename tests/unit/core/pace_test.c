/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Decisions over recorded series, which our batches do not change, and over a model of a worker, which they do. */
#include "../unit.h"

#include "core/pace.h"
#include "memweir/abi.h"
#include "pace_series.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define HIGH 42496000ULL
#define MAX  49999872ULL
#define MB   1000000ULL
#define T0   (1000 * MW_NS_PER_S)

static struct mw_pace_input calm(__u64 time_ns)
{
	return (struct mw_pace_input){
		.time_ns = time_ns,
		.high = HIGH,
		.max = MAX,
		.high_now = HIGH,
		.budget_ns = 10 * MW_NS_PER_MS,
		.allowed = true,
		.may_raise = true,
	};
}

/* What was decided in the course of a series. */
struct tally {
	unsigned n[MW_PACE_KIND_MAX];
	enum mw_pace_why last_hold;
	__u64 first_reclaim_at, first_lift_at; /* memory.current then */
	__u64 largest;
};

static void note(struct tally *t, const struct mw_pace_decision *d, const struct mw_pace_input *in)
{
	if (d->kind == MW_PACE_RECLAIM && !t->n[MW_PACE_RECLAIM])
		t->first_reclaim_at = in->current;
	if (d->kind == MW_PACE_LIFT && !t->n[MW_PACE_LIFT])
		t->first_lift_at = in->current;
	if (d->kind == MW_PACE_RECLAIM && d->bytes > t->largest)
		t->largest = d->bytes;
	if (d->kind == MW_PACE_BACK_OFF)
		t->last_hold = d->why;
	t->n[d->kind]++;
}

/* One look as the pacer takes it: until there is nothing more to do at once. */
static struct mw_pace_decision look(struct mw_pace_state *s, struct mw_pace_input *in, struct tally *t)
{
	struct mw_pace_decision d;
	bool was_under_way = s->under_way && !in->last.asked;

	for (int i = 0; i < 4; i++) {
		d = mw_pace_step(s, in);
		note(t, &d, in);
		in->last = (struct mw_pace_result){0};
		assert_false(was_under_way && d.kind == MW_PACE_RECLAIM); /* never two */
		if (d.kind == MW_PACE_SET_HIGH)
			in->high_now = d.bytes;
		else if (d.kind != MW_PACE_BACK_OFF)
			break;
	}
	assert_true(d.next_ns >= MW_PACE_TICK_MIN_NS && d.next_ns <= MW_PACE_TICK_NS);
	return d;
}

/* Every batch frees what it was asked for by the next look. */
static struct tally replay(const struct look *looks, size_t n)
{
	struct mw_pace_state s = {0};
	__u64 high_now = HIGH, asked = 0;
	struct tally t = {{0}};

	for (size_t i = 0; i < n; i++) {
		struct mw_pace_input in = calm(T0 + looks[i].ms * MW_NS_PER_MS);
		struct mw_pace_decision d;

		in.current = looks[i].current;
		in.cache = looks[i].cache;
		in.swappable = looks[i].swappable;
		in.stolen = looks[i].stolen;
		in.refaulted = looks[i].refaulted;
		in.stalled_ns = looks[i].stalled_us * 1000ULL;
		in.high_now = high_now;
		in.last = (struct mw_pace_result){asked, asked, 10 * MW_NS_PER_MS};
		d = look(&s, &in, &t);
		asked = d.kind == MW_PACE_RECLAIM ? d.bytes : 0;
		high_now = d.kind == MW_PACE_LIFT ? MW_UNLIMITED : in.high_now;
	}
	assert_true(t.largest <= MW_PACE_BATCH_MAX);
	return t;
}

static void leak_without_swap_is_lifted(void **state)
{
	struct tally t = replay(noswap_looks, ARRAY_SIZE(noswap_looks));

	(void)state;
	assert_int_equal(t.n[MW_PACE_RECLAIM], 0);
	assert_int_equal(t.n[MW_PACE_SET_HIGH], 0);
	assert_int_equal(t.n[MW_PACE_LIFT], 1);
	assert_in_range(t.first_lift_at, HIGH - HIGH / 20, HIGH);
}

static void burst_of_anonymous_memory_is_lifted(void **state)
{
	struct tally t = replay(burst_looks, ARRAY_SIZE(burst_looks));

	(void)state;
	assert_int_equal(t.n[MW_PACE_RECLAIM], 0);
	assert_int_equal(t.n[MW_PACE_LIFT], 1);
	assert_true(t.first_lift_at < HIGH);
}

static void leak_with_zram_is_reclaimed_ahead(void **state)
{
	struct tally t = replay(zram_looks, ARRAY_SIZE(zram_looks));

	(void)state;
	assert_true(t.n[MW_PACE_RECLAIM] >= 3);
	assert_in_range(t.first_reclaim_at, HIGH - HIGH / 5, HIGH - MW_PACE_BATCH_MIN);
	assert_int_equal(t.n[MW_PACE_LIFT], 0);
}

static void churn_is_reclaimed_ahead(void **state)
{
	struct tally t = replay(churn_looks, ARRAY_SIZE(churn_looks));

	(void)state;
	assert_true(t.n[MW_PACE_RECLAIM] >= 5);
	assert_in_range(t.first_reclaim_at, HIGH - HIGH / 5, HIGH - MW_PACE_BATCH_MIN);
	assert_int_equal(t.n[MW_PACE_LIFT], 0);
	assert_int_equal(t.n[MW_PACE_BACK_OFF], 0);
	t = replay(churn95_looks, ARRAY_SIZE(churn95_looks));
	assert_true(t.n[MW_PACE_RECLAIM] >= 5);
	assert_int_equal(t.n[MW_PACE_BACK_OFF], 0);
}

/* ---- a model: page cache that grows, a kernel that takes what is over memory.high from the worker's own time ---- */

struct model {
	struct mw_pace_state s;
	struct tally t;
	__u64 now_ns, anon, cache, stolen, refaulted, high_now, asked, took_from_worker;
	double rate; /* of cache, bytes a second */
	__u64 spurt; /* bytes of cache more, at once, every 400 ms */
	double refault_share; /* of what our batches free, wanted back at once */
	bool strict;
};

static void model_run(struct model *m, __u64 ns)
{
	__u64 end = m->now_ns + ns, next = 0;

	while (m->now_ns < end) {
		struct mw_pace_input in;
		struct mw_pace_decision d;
		__u64 step = next ? next : MW_PACE_TICK_NS, over;

		m->now_ns += step;
		m->cache += (__u64)(m->rate * (double)step / MW_NS_PER_S);
		if (m->spurt && m->now_ns / (400 * MW_NS_PER_MS) != (m->now_ns - step) / (400 * MW_NS_PER_MS))
			m->cache += m->spurt;
		over = m->anon + m->cache > m->high_now ? m->anon + m->cache - m->high_now : 0;
		m->cache -= over;
		m->stolen += over;
		m->took_from_worker += over;
		in = calm(m->now_ns);
		in.may_raise = !m->strict;
		if (m->asked) {
			in.last = (struct mw_pace_result){m->asked, m->asked, MW_NS_PER_MS};
			m->cache -= m->asked < m->cache ? m->asked : m->cache;
			m->stolen += m->asked;
			m->refaulted += (__u64)(m->refault_share * (double)m->asked);
		}
		in.current = m->anon + m->cache;
		in.cache = m->cache;
		in.stolen = m->stolen;
		in.refaulted = m->refaulted;
		in.high_now = m->high_now;
		d = look(&m->s, &in, &m->t);
		m->high_now = in.high_now;
		m->asked = d.kind == MW_PACE_RECLAIM ? d.bytes : 0;
		next = d.next_ns;
	}
}

static struct model at(__u64 anon, __u64 cache, double rate)
{
	return (struct model){.now_ns = T0, .anon = anon, .cache = cache, .rate = rate, .high_now = HIGH};
}

static void churn_stays_below_high(void **state)
{
	struct model m = at(30 * MB, 4 * MB, 12e6);

	(void)state;
	model_run(&m, 30 * MW_NS_PER_S);
	assert_int_equal(m.took_from_worker, 0);
	assert_int_equal(m.high_now, HIGH);
	assert_true(m.t.n[MW_PACE_RECLAIM] > 30);
	assert_true(m.anon + m.cache < HIGH);
	/* at 95 % of memory.high with anonymous memory alone there is too little cache: memory.high gives way */
	m = at(40400000, 1 * MB, 12e6);
	model_run(&m, MW_NS_PER_S / 2); /* it is over before the second look, which is the first to show growth */
	m.took_from_worker = 0;
	model_run(&m, 30 * MW_NS_PER_S);
	assert_int_equal(m.took_from_worker, 0);
	assert_true(m.high_now < MAX);
}

/* More than an eighth of memory.high at once, again and again: room for it is kept. */
static void large_reads_find_room(void **state)
{
	struct model m = at(24 * MB, 2 * MB, 0);

	(void)state;
	m.spurt = 8 * MB;
	model_run(&m, 2 * MW_NS_PER_S);
	m.took_from_worker = 0;
	model_run(&m, 30 * MW_NS_PER_S);
	assert_int_equal(m.took_from_worker, 0);
	assert_true(m.t.n[MW_PACE_RECLAIM] > 30);
	assert_true(m.anon + m.cache > HIGH / 2); /* it keeps the rest */
}

static void fast_growth_raises_high_and_it_comes_back(void **state)
{
	struct model m = at(20 * MB, 18 * MB, 60e6);

	(void)state;
	model_run(&m, 300 * MW_NS_PER_MS);
	assert_true(m.t.n[MW_PACE_SET_HIGH] > 0);
	assert_in_range(m.high_now, HIGH + 1, MAX - 1);
	m.rate = 0;
	model_run(&m, 10 * MW_NS_PER_S);
	assert_int_equal(m.high_now, HIGH);
	assert_true(m.anon + m.cache < HIGH);
	m = at(20 * MB, 18 * MB, 60e6);
	m.strict = true;
	model_run(&m, 5 * MW_NS_PER_S);
	assert_int_equal(m.t.n[MW_PACE_SET_HIGH], 0);
	assert_int_equal(m.high_now, HIGH);
	assert_true(m.t.n[MW_PACE_RECLAIM] > 0);
}

static void thrash_backs_off_ever_longer(void **state)
{
	struct model m = at(30 * MB, 12 * MB, 12e6);
	unsigned first;

	(void)state;
	m.refault_share = 0.6;
	model_run(&m, 20 * MW_NS_PER_S);
	assert_int_equal(m.t.last_hold, MW_PACE_REFAULTS);
	assert_in_range(m.t.n[MW_PACE_BACK_OFF], 3, 5); /* 1, 2, 4, 8 s between them */
	first = m.t.n[MW_PACE_BACK_OFF];
	model_run(&m, 300 * MW_NS_PER_S);
	assert_in_range(m.t.n[MW_PACE_BACK_OFF], first + 4, first + 10);
	assert_int_equal(m.s.hold_ns, MW_PACE_HOLD_MAX_NS);
	m.refault_share = 0; /* it ends: trust comes back */
	model_run(&m, 120 * MW_NS_PER_S);
	assert_true(m.s.hold_ns < MW_PACE_HOLD_MIN_NS);
}

/* 25 MB in a tenth of a second at its start, without any page cache yet: no reason to lift far below memory.high. */
static void a_start_is_not_lifted(void **state)
{
	struct mw_pace_state s = {0};
	struct mw_pace_input in = calm(T0);
	struct mw_pace_decision d;

	(void)state;
	in.current = 5 * MB;
	mw_pace_step(&s, &in);
	in.time_ns += MW_PACE_TICK_NS;
	in.current = 30 * MB;
	d = mw_pace_step(&s, &in);
	assert_int_equal(d.kind, MW_PACE_NONE);
	assert_int_equal(d.why, MW_PACE_NOTHING);
	in.time_ns += MW_PACE_TICK_NS;
	in.current = HIGH - MB;
	d = mw_pace_step(&s, &in);
	assert_int_equal(d.kind, MW_PACE_LIFT);
}

static void rest_is_left_alone(void **state)
{
	struct model m = at(30 * MB, 12 * MB, 0);

	(void)state;
	model_run(&m, 60 * MW_NS_PER_S);
	for (enum mw_pace_kind k = MW_PACE_NONE + 1; k < MW_PACE_KIND_MAX; k++)
		assert_int_equal(m.t.n[k], 0);
	assert_true(mw_pace_quiet(&m.s, m.now_ns));
}

/* A worker that has grown by 1 MB in 100 ms and stands half of that below memory.high. */
static struct mw_pace_decision grown(struct mw_pace_state *s, const struct mw_pace_input *template)
{
	struct mw_pace_input in = *template;

	in.time_ns = T0;
	in.current = HIGH - MB - MB / 2;
	mw_pace_step(s, &in);
	in.time_ns += MW_PACE_TICK_NS;
	in.current += MB;
	return mw_pace_step(s, &in);
}

static void reasons_not_to(void **state)
{
	struct mw_pace_state s = {0};
	struct mw_pace_input in = calm(0);
	struct mw_pace_decision d;

	(void)state;
	in.cache = 20 * MB;
	in.may_raise = false;
	d = grown(&s, &in);
	assert_int_equal(d.kind, MW_PACE_RECLAIM);
	assert_true(s.under_way);
	s = (struct mw_pace_state){.under_way = true};
	d = grown(&s, &in);
	assert_int_equal(d.why, MW_PACE_UNDER_WAY);
	s = (struct mw_pace_state){.hold_until_ns = T0 + MW_NS_PER_S, .hold_all = true};
	d = grown(&s, &in);
	assert_int_equal(d.why, MW_PACE_HELD);
	/* held for refaults: only what the kernel would have it reclaim at once, and nothing with room below */
	s.hold_all = false;
	d = grown(&s, &in);
	assert_int_equal(d.kind, MW_PACE_RECLAIM);
	assert_in_range(d.bytes, MW_PACE_BATCH_MIN, HIGH / 16);
	assert_int_equal(s.window_ns, 0); /* and it is not judged again */
	s = (struct mw_pace_state){.hold_until_ns = T0 + MW_NS_PER_S};
	in.high_now = MAX - MB;
	d = grown(&s, &in);
	assert_int_equal(d.why, MW_PACE_HELD);
	in.high_now = HIGH;
	s = (struct mw_pace_state){0};
	in.host_share = MW_PACE_HOST_LIMIT;
	d = grown(&s, &in);
	assert_int_equal(d.why, MW_PACE_HOST);
	in.allowed = false;
	s = (struct mw_pace_state){0};
	d = grown(&s, &in);
	assert_int_equal(d.kind, MW_PACE_NONE);
	assert_int_equal(d.why, MW_PACE_NOT_ALLOWED);
}

static void empty_batch_backs_off(void **state)
{
	struct mw_pace_state s = {.under_way = true};
	struct mw_pace_input in = calm(T0);
	struct mw_pace_decision d;

	(void)state;
	in.cache = 20 * MB;
	in.current = HIGH - MB;
	in.last = (struct mw_pace_result){MB, MB / 10, MW_NS_PER_MS};
	d = mw_pace_step(&s, &in);
	assert_int_equal(d.kind, MW_PACE_BACK_OFF);
	assert_int_equal(d.why, MW_PACE_EMPTY);
	assert_int_equal(d.hold_ns, MW_PACE_HOLD_MIN_NS);
	assert_false(s.under_way);
}

/* Stalls below memory.high are ours; at memory.high they are the kernel's, and reclaiming is what helps. */
static void stalls_below_high_back_off(void **state)
{
	(void)state;
	for (int met = 0; met < 2; met++) {
		struct mw_pace_state s = {.under_way = true, .window_ns = T0, .time_ns = T0, .current = HIGH - 5 * MB};
		struct mw_pace_input in = calm(T0 + MW_NS_PER_S);
		struct mw_pace_decision d;

		in.cache = 20 * MB;
		in.current = met ? HIGH : HIGH - 5 * MB;
		in.stalled_ns = in.paused_ns = 200 * MW_NS_PER_MS;
		in.last = (struct mw_pace_result){4 * MB, 4 * MB, MW_NS_PER_MS};
		d = mw_pace_step(&s, &in);
		assert_int_equal(d.kind == MW_PACE_BACK_OFF, !met);
		if (!met)
			assert_int_equal(d.why, MW_PACE_STALLS);
	}
}

static void the_kernels_penalty(void **state)
{
	(void)state;
	/* 64 x (1.25 %)^2 s = 10 ms */
	assert_in_range(mw_pace_overage(1000000, 10 * MW_NS_PER_MS), 12490, 12500);
	assert_in_range(mw_pace_overage(1000000, 64 * MW_NS_PER_S), 999990, 1000000);
	assert_int_equal(mw_pace_overage(1000000, 0), 0);
}

static void who_comes_near(void **state)
{
	(void)state;
	assert_false(mw_pace_reaches(HIGH / 2, 0, HIGH));
	assert_true(mw_pace_reaches(HIGH / 100 * 86, 0, HIGH));
	assert_true(mw_pace_reaches(HIGH / 2, (double)HIGH / 4 + 1, HIGH));
	assert_false(mw_pace_reaches(HIGH, 1e9, MW_UNLIMITED));
}

static void everything_has_a_name(void **state)
{
	(void)state;
	for (enum mw_pace_kind k = 0; k < MW_PACE_KIND_MAX; k++)
		assert_true(strlen(mw_pace_kind_name(k)) > 3);
	for (enum mw_pace_why y = 0; y < MW_PACE_WHY_MAX; y++)
		assert_true(strlen(mw_pace_why_text(y)) > 10);
	assert_string_equal(mw_pace_kind_name(MW_PACE_KIND_MAX), "?");
	assert_string_equal(mw_pace_why_text(MW_PACE_WHY_MAX), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leak_without_swap_is_lifted),
		cmocka_unit_test(burst_of_anonymous_memory_is_lifted),
		cmocka_unit_test(leak_with_zram_is_reclaimed_ahead),
		cmocka_unit_test(churn_is_reclaimed_ahead),
		cmocka_unit_test(churn_stays_below_high),
		cmocka_unit_test(large_reads_find_room),
		cmocka_unit_test(fast_growth_raises_high_and_it_comes_back),
		cmocka_unit_test(thrash_backs_off_ever_longer),
		cmocka_unit_test(a_start_is_not_lifted),
		cmocka_unit_test(rest_is_left_alone),
		cmocka_unit_test(reasons_not_to),
		cmocka_unit_test(empty_batch_backs_off),
		cmocka_unit_test(stalls_below_high_back_off),
		cmocka_unit_test(the_kernels_penalty),
		cmocka_unit_test(who_comes_near),
		cmocka_unit_test(everything_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
