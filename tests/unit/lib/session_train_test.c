// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Dictionaries: made of what is stored, taken over step by step, freed when nobody needs them. */
#include "unit.h"

#include <memweir.h>

#include "../../bench/sessions.h"

static char room[SESSION_ROOM];

static size_t make(size_t i)
{
	struct session_maker maker = {.state = i + 1, .buf = room, .room = sizeof(room)};

	return session_make(&maker);
}

static void put(struct memweir_session_store *store, size_t from, size_t to)
{
	char id[32];

	for (size_t i = from; i < to; i++) {
		snprintf(id, sizeof(id), "%zu", i);
		assert_int_equal(memweir_session_store_put(store, id, room, make(i)), 0);
	}
}

static void all_are_there(struct memweir_session_store *store, size_t n)
{
	size_t size = 0, got;
	void *buf = NULL;
	char id[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%zu", i);
		assert_int_equal(memweir_session_store_get(store, id, &buf, &size, &got), 0);
		assert_int_equal(got, make(i));
		assert_memory_equal(buf, room, got);
	}
	free(buf);
}

static struct memweir_session_stats stats(struct memweir_session_store *store)
{
	struct memweir_session_stats s = MEMWEIR_INIT(struct memweir_session_stats);

	assert_int_equal(memweir_session_store_stats(store, &s), 0);
	assert_true(s.total_bytes <= s.max_bytes);
	return s;
}

static struct memweir_session_store *store_of(uint32_t train_after)
{
	struct memweir_session_options o = {.size = sizeof(o), .train_after = train_after};
	struct memweir_session_store *store;

	assert_int_equal(memweir_session_store_new(&o, &store), 0);
	return store;
}

/* Calls that do nothing else until nothing waits any more; how many it took. */
static size_t settle(struct memweir_session_store *store)
{
	size_t turns = 0, size = 0, n;
	void *buf = NULL;

	for (; stats(store).outdated && turns < 100000; turns++)
		memweir_session_store_get(store, "nobody", &buf, &size, &n);
	assert_null(buf);
	return turns;
}

static void saves(void **state)
{
	struct memweir_session_store *store = store_of(0);
	struct memweir_session_stats s;

	(void)state;
	put(store, 0, 1000);
	settle(store);
	s = stats(store);
	assert_int_equal(s.sessions, 1000);
	assert_int_equal(s.evictions, 0);
	assert_int_equal(s.trainings, 1);
	assert_true(s.saved >= 0.75);
	all_are_there(store, 1000);
	memweir_session_store_free(store);
}

static void without(void **state)
{
	struct memweir_session_store *store = store_of(MEMWEIR_SESSION_NO_TRAINING);

	(void)state;
	put(store, 0, 300);
	assert_int_equal(stats(store).trainings, 0);
	assert_int_equal(stats(store).dictionary_bytes, 0);
	all_are_there(store, 300);
	memweir_session_store_free(store);
}

static void generations(void **state)
{
	struct memweir_session_store *store = store_of(MEMWEIR_SESSION_NO_TRAINING);
	uint64_t before;

	(void)state;
	assert_int_equal(memweir_session_store_train(store), -ENODATA);
	put(store, 0, 100);
	before = stats(store).stored_bytes;
	assert_int_equal(memweir_session_store_train(store), 0);
	assert_int_equal(stats(store).outdated, 100);
	assert_int_equal(stats(store).stored_bytes, before); /* nothing is compressed again at once */
	all_are_there(store, 50);
	assert_true(stats(store).outdated < 100);
	assert_int_equal(memweir_session_store_train(store), 0);
	assert_int_equal(stats(store).trainings, 2);
	assert_int_equal(stats(store).dictionaries, 2);
	put(store, 100, 120);
	assert_int_equal(memweir_session_store_train(store), 0);
	all_are_there(store, 120);
	assert_true(settle(store) < 200);
	assert_int_equal(stats(store).dictionaries, 1); /* the others have nobody left */
	assert_true(stats(store).stored_bytes < before * 3 / 4);
	all_are_there(store, 120);
	memweir_session_store_free(store);
}

/* Random bytes: no dictionary makes them smaller, so there is none. */
static void no_help(void **state)
{
	struct memweir_session_store *store = store_of(0);
	uint64_t x = 5;
	char id[32];

	(void)state;
	for (size_t i = 0; i < 400; i++) {
		for (size_t k = 0; k < 2000; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			room[k] = (char)x;
		}
		snprintf(id, sizeof(id), "%zu", i);
		assert_int_equal(memweir_session_store_put(store, id, room, 2000), 0);
	}
	assert_int_equal(stats(store).trainings, 0);
	assert_int_equal(memweir_session_store_train(store), -ENODATA);
	assert_int_equal(stats(store).dictionary_bytes, 0);
	assert_int_equal(stats(store).sessions, 400);
	memweir_session_store_free(store);
}

/* All the same, and tiny: shapes a trainer might trip over. */
static void odd_samples(void **state)
{
	struct memweir_session_store *store = store_of(20);
	size_t size = 0, n;
	void *buf = NULL;
	char id[32];

	(void)state;
	memset(room, 'a', sizeof(room));
	for (size_t i = 0; i < 600; i++) {
		snprintf(id, sizeof(id), "%zu", i);
		assert_int_equal(memweir_session_store_put(store, id, room, i % 3 ? i % 7 : 5000), 0);
	}
	memweir_session_store_train(store);
	for (size_t i = 0; i < 600; i++) {
		snprintf(id, sizeof(id), "%zu", i);
		assert_int_equal(memweir_session_store_get(store, id, &buf, &size, &n), 0);
		assert_int_equal(n, i % 3 ? i % 7 : 5000);
		assert_memory_equal(buf, room, n);
	}
	free(buf);
	memweir_session_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saves),   cmocka_unit_test(without),	  cmocka_unit_test(generations),
		cmocka_unit_test(no_help), cmocka_unit_test(odd_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
