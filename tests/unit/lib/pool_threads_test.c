// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A pool among threads: who waits, who ends, who hands over. */
#include "unit.h"

#include <memweir/pool.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "util/clock.h"

#define DEADLINE_MS 60000
#define BYTES	    8192

static struct memweir_pool *pool;
static atomic_int go_on; /* what threads wait for */

static void of(size_t buffers)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);

	o.buffers = buffers;
	o.buffer_bytes = BYTES;
	o.idle_ms = 3600000;
	assert_int_equal(memweir_pool_new(&o, &pool), 0);
	atomic_store(&go_on, 0);
}

static struct memweir_pool_stats stats(void)
{
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);

	assert_int_equal(memweir_pool_stats(pool, &s), 0);
	return s;
}

static void *lent(void)
{
	void *p = NULL;

	return memweir_pool_checkout(pool, DEADLINE_MS, &p) == 0 ? p : NULL;
}

static void until(atomic_int *what, int value)
{
	uint64_t end_ns = mw_now_ns() + DEADLINE_MS * MW_NS_PER_MS;

	while (atomic_load(what) < value && mw_now_ns() < end_ns)
		sched_yield();
}

static void until_so_many_waited(uint64_t n)
{
	uint64_t end_ns = mw_now_ns() + DEADLINE_MS * MW_NS_PER_MS;

	while (stats().waits < n && mw_now_ns() < end_ns)
		sched_yield();
	assert_int_equal(stats().waits, n);
}

static pthread_t started(void *(*work)(void *), void *arg)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, work, arg), 0);
	return t;
}

static void *joined(pthread_t t)
{
	void *ret;

	assert_int_equal(pthread_join(t, &ret), 0);
	return ret;
}

/* ---- waiting ---- */

static atomic_int served;

/* Its place in the order in which they were served, from 1. */
static void *wait_and_say_when(void *arg)
{
	void *p = lent();
	intptr_t n = atomic_fetch_add(&served, 1) + 1;

	(void)arg;
	memweir_pool_checkin(pool, p);
	return (void *)n; /* NOLINT(performance-no-int-to-ptr) */
}

static void first_come_first_served(void **state)
{
	pthread_t t[8];
	void *p;

	(void)state;
	of(1);
	atomic_store(&served, 0);
	p = lent();
	for (uint64_t i = 0; i < 8; i++) {
		t[i] = started(wait_and_say_when, NULL);
		until_so_many_waited(i + 1);
	}
	assert_int_equal(memweir_pool_checkin(pool, p), 0);
	for (intptr_t i = 0; i < 8; i++)
		assert_int_equal((intptr_t)joined(t[i]), i + 1);
	assert_int_equal(stats().waits, 8);
	assert_int_equal(stats().timeouts, 0);
	assert_int_equal(stats().in_use, 0);
	memweir_pool_free(pool);
}

static void *hold(void *arg)
{
	void *p = lent();

	(void)arg;
	atomic_fetch_add(&served, 1);
	until(&go_on, 1);
	memweir_pool_checkin(pool, p);
	return p;
}

/* What the thread gives back is not kept at hand for it: somebody is before it. */
static void no_overtaking(void **state)
{
	void *p, *mine = NULL;
	pthread_t t;

	(void)state;
	of(1);
	atomic_store(&served, 0);
	p = lent();
	t = started(hold, NULL);
	until_so_many_waited(1);
	assert_int_equal(memweir_pool_checkin(pool, p), 0);
	assert_int_equal(memweir_pool_checkout(pool, 0, &mine), -EAGAIN);
	assert_int_equal(memweir_pool_checkout(pool, 1, &mine), -ETIMEDOUT);
	atomic_store(&go_on, 1);
	assert_ptr_equal(joined(t), p);
	memweir_pool_free(pool);
}

static void *at_hand_then_stay(void *arg)
{
	void *p = lent();

	(void)arg;
	memweir_pool_checkin(pool, p);
	atomic_fetch_add(&served, 1);
	until(&go_on, 1);
	return p;
}

static void taken_from_anothers_hand(void **state)
{
	void *a = NULL, *b = NULL, *none;
	pthread_t t[2];

	(void)state;
	of(2);
	atomic_store(&served, 0);
	t[0] = started(hold, NULL);
	until(&served, 1);
	t[1] = started(at_hand_then_stay, NULL);
	until(&served, 2);
	assert_int_equal(stats().available, 1);
	assert_int_equal(memweir_pool_checkout(pool, 0, &a), 0);
	assert_int_equal(memweir_pool_checkout(pool, 0, &none), -EAGAIN);
	atomic_store(&go_on, 1);
	b = joined(t[0]);
	assert_ptr_equal(joined(t[1]), a);
	assert_ptr_not_equal(a, b);
	assert_int_equal(stats().reclaimed, 0);
	assert_int_equal(stats().in_use, 1);
	memweir_pool_free(pool);
}

static void tended_from_anothers_hand(void **state)
{
	pthread_t t;

	(void)state;
	of(2);
	atomic_store(&served, 0);
	t = started(at_hand_then_stay, NULL);
	until(&served, 1);
	assert_int_equal(memweir_pool_tend(pool, 1), BYTES);
	assert_int_equal(stats().memory_usage, 0);
	atomic_store(&go_on, 1);
	joined(t);
	assert_int_equal(stats().available, 2);
	memweir_pool_free(pool);
}

/* A cancelled thread gets what it waits for, and gives it back as it ends. */
static void *wait_to_be_cancelled(void *arg)
{
	void *p = lent();

	(void)arg;
	for (;;)
		pthread_testcancel();
	return p;
}

static void cancelled_while_it_waits(void **state)
{
	pthread_t t;
	void *p;

	(void)state;
	of(1);
	p = lent();
	t = started(wait_to_be_cancelled, NULL);
	until_so_many_waited(1);
	assert_int_equal(pthread_cancel(t), 0);
	assert_int_equal(memweir_pool_checkin(pool, p), 0);
	assert_ptr_equal(joined(t), PTHREAD_CANCELED);
	assert_int_equal(stats().in_use, 0);
	assert_int_equal(stats().reclaimed, 1);
	memweir_pool_free(pool);
}

/* ---- ending ---- */

static void *take_three_return_one(void *arg)
{
	void *p[3] = {lent(), lent(), lent()};

	(void)arg;
	memset(p[1], 1, BYTES);
	memset(p[2], 1, BYTES);
	memweir_pool_checkin(pool, p[0]);
	return p[1];
}

static void ends_with_buffers(void **state)
{
	void *p;

	(void)state;
	of(3);
	for (uint64_t round = 1; round <= 20; round++) { /* ids of threads come again */
		p = joined(started(take_three_return_one, NULL));
		assert_int_equal(stats().in_use, 0);
		assert_int_equal(stats().available, 3);
		assert_int_equal(stats().reclaimed, 2 * round);
		assert_int_equal(memweir_pool_checkin(pool, p), -EALREADY);
	}
	assert_int_equal(stats().checkouts, 60);
	memweir_pool_free(pool);
}

static void *take_and_end_when_told(void *arg)
{
	void *p = lent();

	(void)arg;
	atomic_fetch_add(&served, 1);
	until(&go_on, 1);
	return p;
}

static void who_waits_gets_what_the_dead_had(void **state)
{
	pthread_t ends, waits;
	void *p;

	(void)state;
	of(1);
	atomic_store(&served, 0);
	ends = started(take_and_end_when_told, NULL);
	until(&served, 1);
	waits = started(wait_and_say_when, NULL);
	until_so_many_waited(1);
	atomic_store(&go_on, 1);
	p = joined(ends);
	assert_int_equal((intptr_t)joined(waits), 2);
	assert_ptr_equal(lent(), p);
	assert_int_equal(stats().reclaimed, 1);
	memweir_pool_free(pool);
}

static void *_Atomic passed;

static void *pass_on(void *arg)
{
	void *p = lent();

	(void)arg;
	memset(p, 42, BYTES);
	atomic_store(&passed, p);
	until(&go_on, 1);
	return p;
}

static void passed_on_and_owned(void **state)
{
	uint64_t end_ns = mw_now_ns() + DEADLINE_MS * MW_NS_PER_MS;
	pthread_t t;
	char *p;

	(void)state;
	of(1);
	atomic_store(&passed, NULL);
	t = started(pass_on, NULL);
	while (!(p = atomic_load(&passed)) && mw_now_ns() < end_ns)
		sched_yield();
	assert_int_equal(memweir_pool_own(pool, p), 0);
	atomic_store(&go_on, 1);
	joined(t);
	assert_int_equal(stats().reclaimed, 0);
	assert_int_equal(stats().in_use, 1);
	assert_int_equal(p[BYTES - 1], 42);
	assert_int_equal(memweir_pool_checkin(pool, p), 0);
	assert_int_equal(memweir_pool_checkin(pool, p), -EALREADY);
	assert_int_equal(stats().in_use, 0);
	memweir_pool_free(pool);
}

static void *give_back(void *p)
{
	return (void *)(intptr_t)memweir_pool_checkin(pool, p); /* NOLINT(performance-no-int-to-ptr) */
}

static void given_back_by_another(void **state)
{
	void *p;

	(void)state;
	of(1);
	p = lent();
	assert_int_equal((intptr_t)joined(started(give_back, p)), 0);
	assert_int_equal(memweir_pool_checkin(pool, p), -EALREADY);
	assert_int_equal(stats().in_use, 0);
	assert_ptr_equal(lent(), p);
	memweir_pool_free(pool);
}

static pthread_key_t later_key;
static atomic_int late_result;

static void give_back_late(void *p)
{
	atomic_store(&late_result, memweir_pool_checkin(pool, p));
}

static void *leave_it_to_a_destructor(void *arg)
{
	(void)arg;
	pthread_setspecific(later_key, lent());
	return NULL;
}

/* The program's own destructors run first, whenever their keys were made. */
static void given_back_by_a_destructor(void **state)
{
	(void)state;
	of(1);
	atomic_store(&late_result, 1);
	assert_int_equal(pthread_key_create(&later_key, give_back_late), 0);
	joined(started(leave_it_to_a_destructor, NULL));
	assert_int_equal(atomic_load(&late_result), 0);
	assert_int_equal(stats().reclaimed, 0);
	assert_int_equal(stats().in_use, 0);
	pthread_key_delete(later_key);
	memweir_pool_free(pool);
}

static void *outlive(void *arg)
{
	void *p = lent(), *next;

	(void)arg;
	atomic_fetch_add(&served, 1);
	until(&go_on, 1);
	next = lent(); /* of the next pool, which may well be where the first one was */
	return (void *)(intptr_t)(p && next &&
				  memweir_pool_checkin(pool, next) == 0); /* NOLINT(performance-no-int-to-ptr) */
}

static void threads_outlive_the_pool(void **state)
{
	pthread_t t[4];

	(void)state;
	of(4);
	atomic_store(&served, 0);
	for (int i = 0; i < 4; i++)
		t[i] = started(outlive, NULL);
	until(&served, 4);
	memweir_pool_free(pool);
	of(4);
	atomic_store(&go_on, 1);
	for (int i = 0; i < 4; i++)
		assert_true(joined(t[i]));
	assert_int_equal(stats().in_use, 0);
	memweir_pool_free(pool);
}

#define POOLS 20 /* more than a thread finds without a lock */

static struct memweir_pool *pools[POOLS];

static void *lend_of_each(void *arg)
{
	void *p[2];

	(void)arg;
	for (int i = 0; i < 2 * POOLS; i++)
		if (memweir_pool_checkout(pools[i % POOLS], 0, &p[i / POOLS]) < 0)
			return NULL;
	for (int i = 0; i < POOLS; i++) { /* some go before the thread does */
		if (memweir_pool_checkout(pools[i], 0, &p[0]) < 0 || memweir_pool_checkin(pools[i], p[0]) < 0)
			return NULL;
		if (i % 3 == 0)
			memweir_pool_free(pools[i]);
	}
	return pools;
}

static void of_many_pools(void **state)
{
	(void)state;
	for (int i = 0; i < POOLS; i++) {
		of(3);
		pools[i] = pool;
	}
	assert_non_null(joined(started(lend_of_each, NULL)));
	for (int i = 0; i < POOLS; i++) {
		if (i % 3 == 0)
			continue;
		pool = pools[i];
		assert_int_equal(stats().reclaimed, 2);
		assert_int_equal(stats().available, 3);
		memweir_pool_free(pool);
	}
}

/* ---- all at once ---- */

#define STRESS_THREADS 6
#define STRESS_TURNS   3000

static atomic_int spoilt;

/* Nobody else writes into a buffer while it is lent. */
static void use(char *p, unsigned int turn)
{
	char mine = (char)(turn + (uintptr_t)pthread_self() / 4096);

	p[0] = p[BYTES - 1] = mine;
	if (turn % 5 == 0)
		sched_yield();
	if (p[0] != mine || p[BYTES - 1] != mine)
		atomic_fetch_add(&spoilt, 1);
}

static void *stress(void *arg)
{
	unsigned int turns = *(unsigned int *)arg;

	for (unsigned int i = 0; i < turns; i++) {
		void *p, *q;
		int r = memweir_pool_checkout(pool, (int)(i % 4) - 1, &p);

		if (r < 0)
			continue;
		use(p, i);
		if (i % 7 == 0 && memweir_pool_checkout(pool, 0, &q) == 0) {
			use(q, i);
			atomic_fetch_add(&spoilt, memweir_pool_checkin(pool, q) != 0);
		}
		if (i % 50 == 0)
			memweir_pool_tend(pool, 1);
		atomic_fetch_add(&spoilt, memweir_pool_checkin(pool, p) != 0);
	}
	return lent(); /* and ends with it */
}

static void many_at_once(void **state)
{
	unsigned int turns[2] = {STRESS_TURNS, STRESS_TURNS / 10};
	pthread_t t[STRESS_THREADS];

	(void)state;
	of(3);
	atomic_store(&spoilt, 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < STRESS_THREADS; i++)
			t[i] = started(stress, &turns[(i + round) % 2]);
		for (int i = 0; i < STRESS_THREADS; i++)
			assert_non_null(joined(t[i]));
	}
	assert_int_equal(atomic_load(&spoilt), 0);
	assert_int_equal(stats().in_use, 0);
	assert_int_equal(stats().available, 3);
	assert_int_equal(stats().total_created, 3);
	assert_int_equal(stats().reclaimed, 2 * STRESS_THREADS);
	memweir_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(no_overtaking),
		cmocka_unit_test(taken_from_anothers_hand),
		cmocka_unit_test(tended_from_anothers_hand),
		cmocka_unit_test(cancelled_while_it_waits),
		cmocka_unit_test(ends_with_buffers),
		cmocka_unit_test(who_waits_gets_what_the_dead_had),
		cmocka_unit_test(passed_on_and_owned),
		cmocka_unit_test(given_back_by_another),
		cmocka_unit_test(given_back_by_a_destructor),
		cmocka_unit_test(threads_outlive_the_pool),
		cmocka_unit_test(of_many_pools),
		cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
