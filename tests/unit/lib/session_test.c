// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Session states are given back as they were put, within the bound, and the least recently used go first. */
#include "unit.h"

#include <memweir.h>
#include <pthread.h>

#include "../../bench/sessions.h"
#include "lib/session_impl.h"

#define MIB ((size_t)1 << 20)

static char room[SESSION_ROOM];
static struct session_maker maker;

static int fresh(void **state)
{
	(void)state;
	maker = (struct session_maker){.state = 7, .buf = room, .room = sizeof(room)};
	return 0;
}

static struct memweir_session_store *store_of(struct memweir_session_options o)
{
	struct memweir_session_store *store;

	o.size = sizeof(o);
	assert_int_equal(memweir_session_store_new(&o, &store), 0);
	return store;
}

static struct memweir_session_stats stats(struct memweir_session_store *store)
{
	struct memweir_session_stats s = MEMWEIR_INIT(struct memweir_session_stats);

	assert_int_equal(memweir_session_store_stats(store, &s), 0);
	assert_true(s.total_bytes <= s.max_bytes);
	assert_int_equal(s.total_bytes, s.stored_bytes + s.bookkeeping_bytes + s.dictionary_bytes);
	return s;
}

static const char *id_of(size_t i)
{
	static char id[32];

	snprintf(id, sizeof(id), "session-%zu", i);
	return id;
}

static void put_made(struct memweir_session_store *store, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		maker.state = i + 1;
		session_make(&maker);
		assert_int_equal(memweir_session_store_put(store, id_of(i), room, maker.n), 0);
	}
}

/* 0, or what get said. */
static int look(struct memweir_session_store *store, size_t i)
{
	void *buf = NULL;
	size_t size = 0, n = 0;
	int r = memweir_session_store_get(store, id_of(i), &buf, &size, &n);

	if (r == 0) {
		maker.state = i + 1;
		session_make(&maker);
		assert_int_equal(n, maker.n);
		assert_memory_equal(buf, room, n);
	}
	free(buf);
	return r;
}

static void put_and_get(void **state)
{
	struct memweir_session_store *store;
	size_t size = 0, n = 77;
	void *buf = NULL;

	(void)state;
	assert_int_equal(memweir_session_store_new(NULL, &store), 0);
	assert_int_equal(memweir_session_store_get(store, "a", &buf, &size, &n), -ENOENT);
	assert_int_equal(n, 77);
	assert_int_equal(memweir_session_store_put(store, "a", "hello", 5), 0);
	assert_int_equal(memweir_session_store_put(store, "b", "", 0), 0);
	assert_int_equal(memweir_session_store_put(store, "c", NULL, 0), 0);
	assert_int_equal(memweir_session_store_get(store, "a", &buf, &size, &n), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(memweir_session_store_put(store, "a", "other than before", 17), 0);
	assert_int_equal(memweir_session_store_get(store, "a", &buf, &size, &n), 0);
	assert_int_equal(n, 17);
	assert_memory_equal(buf, "other than before", 17);
	assert_int_equal(memweir_session_store_get(store, "b", &buf, &size, &n), 0);
	assert_int_equal(n, 0);
	assert_true(size >= 17);
	assert_int_equal(stats(store).sessions, 3);
	assert_int_equal(stats(store).raw_bytes, 17);
	assert_int_equal(stats(store).hits, 3);
	assert_int_equal(stats(store).misses, 1);
	assert_int_equal(memweir_session_store_remove(store, "a"), 0);
	assert_int_equal(memweir_session_store_remove(store, "a"), -ENOENT);
	assert_int_equal(stats(store).sessions, 2);
	free(buf);
	memweir_session_store_free(store);
	memweir_session_store_free(NULL);
}

static void bad_input(void **state)
{
	struct memweir_session_options o = {.size = sizeof(o), .max_bytes = MEMWEIR_SESSION_STORE_MIN - 1};
	struct memweir_session_store *store = NULL;
	char id[MEMWEIR_SESSION_ID_MAX + 2] = "";

	(void)state;
	assert_int_equal(memweir_session_store_new(&o, &store), -EINVAL);
	o.max_bytes = 4 * MIB;
	o.level = 13;
	assert_int_equal(memweir_session_store_new(&o, &store), -EINVAL);
	o.level = -1;
	assert_int_equal(memweir_session_store_new(&o, &store), -EINVAL);
	o.level = 0;
	o.dictionary_bytes = 100;
	assert_int_equal(memweir_session_store_new(&o, &store), -EINVAL);
	o.dictionary_bytes = 0;
	o.max_session_bytes = 5 * MIB;
	assert_int_equal(memweir_session_store_new(&o, &store), -EINVAL);
	assert_null(store);
	o.max_session_bytes = 1000;
	store = store_of(o);
	assert_int_equal(memweir_session_store_put(store, "", "x", 1), -EINVAL);
	assert_int_equal(memweir_session_store_put(store, NULL, "x", 1), -EINVAL);
	assert_int_equal(memweir_session_store_put(store, "a", NULL, 1), -EINVAL);
	assert_int_equal(memweir_session_store_put(store, "a", room, 1001), -EMSGSIZE);
	assert_int_equal(memweir_session_store_put(store, "a", room, 1000), 0);
	memset(id, 'i', MEMWEIR_SESSION_ID_MAX + 1);
	assert_int_equal(memweir_session_store_put(store, id, "x", 1), -ENAMETOOLONG);
	id[MEMWEIR_SESSION_ID_MAX] = '\0';
	assert_int_equal(memweir_session_store_put(store, id, "x", 1), 0);
	assert_int_equal(memweir_session_store_remove(store, id), 0);
	assert_int_equal(memweir_session_store_remove(store, NULL), -ENOENT);
	memweir_session_store_free(store);
}

/* Of 3,000 sessions those used last are there, whatever was trained and compressed again meanwhile. */
static void bounded(void **state)
{
	struct memweir_session_store *store = store_of((struct memweir_session_options){.max_bytes = 3 * MIB});
	size_t n = 1500, first = 0;
	struct memweir_session_stats s;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		put_made(store, i, i + 1);
		assert_int_equal(look(store, 0), 0); /* always used: never the oldest */
		stats(store);
	}
	s = stats(store);
	assert_true(s.evictions > 100);
	assert_int_equal(s.sessions + s.evictions, n);
	assert_int_equal(s.trainings, 1);
	assert_int_equal(s.dictionaries, 1);
	assert_int_equal(s.outdated, 0);
	assert_true(s.saved > 0.5);
	for (first = n - 1; first > 0 && look(store, first) == 0; first--)
		;
	assert_int_equal(n - 1 - first + 1, s.sessions);
	for (size_t i = 1; i < first; i++)
		assert_int_equal(look(store, i), -ENOENT);
	memweir_session_store_free(store);
}

static void random_bytes(char *p, size_t n)
{
	static uint64_t x = 99;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		p[i] = (char)x;
	}
}

/* What cannot fit evicts nobody, and what stood under its id stays. */
static void too_large(void **state)
{
	struct memweir_session_store *store = store_of(
		(struct memweir_session_options){.max_bytes = MEMWEIR_SESSION_STORE_MIN, .max_session_bytes = 2 * MIB});
	char *big = malloc(2 * MIB);

	(void)state;
	random_bytes(big, 2 * MIB);
	put_made(store, 0, 20);
	assert_int_equal(memweir_session_store_put(store, id_of(3), big, 2 * MIB), -EMSGSIZE);
	assert_int_equal(memweir_session_store_put(store, id_of(3), big, MIB * 3 / 2), -EMSGSIZE);
	assert_int_equal(look(store, 3), 0);
	assert_int_equal(stats(store).evictions, 0);
	memset(big, 'x', 2 * MIB);
	assert_int_equal(memweir_session_store_put(store, "plain", big, 2 * MIB), 0);
	stats(store);
	free(big);
	memweir_session_store_free(store);
}

static void damaged(void **state)
{
	struct memweir_session_store *store = store_of((struct memweir_session_options){0});
	void *buf = NULL;
	size_t size = 0, n;
	uint32_t hash;

	(void)state;
	put_made(store, 0, 3);
	for (size_t i = 0; i < 2; i++) {
		struct mw_session *s = mw_ids_find(&store->ids, id_of(i), strlen(id_of(i)), &hash);

		mw_session_frame(s)[i ? s->frame_n - 1 : s->frame_n / 2] ^= 1;
		assert_int_equal(memweir_session_store_get(store, id_of(i), &buf, &size, &n), -EBADMSG);
		assert_int_equal(memweir_session_store_get(store, id_of(i), &buf, &size, &n), -ENOENT);
	}
	assert_int_equal(look(store, 2), 0);
	assert_int_equal(stats(store).corrupt, 2);
	free(buf);
	memweir_session_store_free(store);
}

struct seen {
	struct memweir_session_store *store;
	size_t order[64], n;
	int answer; /* to the third */
};

static int see(void *arg, const char *id, const void *data, size_t n)
{
	struct seen *s = arg;
	void *buf = NULL;
	size_t size = 0, got;

	assert_true(n > 0 && memcmp(data, "{\"sessionId\"", 12) == 0);
	assert_int_equal(memweir_session_store_put(s->store, "from inside", "x", 1), -EDEADLK);
	assert_int_equal(memweir_session_store_get(s->store, id, &buf, &size, &got), -EDEADLK);
	assert_int_equal(memweir_session_store_remove(s->store, id), -EDEADLK);
	s->order[s->n++] = strtoul(id + strlen("session-"), NULL, 10);
	return s->n == 3 ? s->answer : MEMWEIR_SESSION_GO_ON;
}

static void in_order(void **state)
{
	struct memweir_session_store *store = store_of((struct memweir_session_options){0});
	struct seen all = {.store = store}, stop = {.store = store, .answer = MEMWEIR_SESSION_STOP},
		    fail = {.store = store, .answer = -ENOTTY},
		    drop = {.store = store, .answer = MEMWEIR_SESSION_REMOVE};
	static const size_t order[] = {1, 3, 4, 2, 0};

	(void)state;
	put_made(store, 0, 5);
	assert_int_equal(look(store, 3), 0);
	assert_int_equal(look(store, 1), 0);
	assert_int_equal(memweir_session_store_iterate(store, see, &all), 0);
	assert_int_equal(all.n, 5);
	assert_memory_equal(all.order, order, sizeof(order));
	assert_int_equal(memweir_session_store_iterate(store, see, &stop), 0);
	assert_int_equal(stop.n, 3);
	assert_int_equal(memweir_session_store_iterate(store, see, &fail), -ENOTTY);
	assert_int_equal(memweir_session_store_iterate(store, see, &drop), 0);
	assert_int_equal(drop.n, 5);
	assert_int_equal(look(store, 4), -ENOENT);
	assert_int_equal(stats(store).sessions, 4);
	memweir_session_store_free(store);
}

struct gone {
	size_t n, next;
};

static void count_gone(void *arg, const char *id, const void *data, size_t n)
{
	struct gone *g = arg;

	maker.state = strtoul(id + strlen("session-"), NULL, 10) + 1;
	assert_int_equal(maker.state, g->next + 1); /* the oldest first */
	session_make(&maker);
	assert_int_equal(n, maker.n);
	assert_memory_equal(data, room, n);
	g->n++;
	g->next++;
}

static void evicted_are_told(void **state)
{
	struct gone g = {0};
	struct memweir_session_store *store =
		store_of((struct memweir_session_options){.on_evict = count_gone, .arg = &g});
	uint64_t total;

	(void)state;
	put_made(store, 0, 50);
	assert_int_equal(g.n, 0);
	total = stats(store).total_bytes;
	assert_int_equal(memweir_session_store_trim(store, total), 0);
	assert_int_equal(g.n, 0);
	assert_int_equal(memweir_session_store_trim(store, total - 30000), 0);
	assert_true(g.n > 0 && g.n < 50);
	assert_true(stats(store).total_bytes <= total - 30000);
	assert_int_equal(memweir_session_store_trim(store, 0), -ENOSPC);
	assert_int_equal(g.n, 50);
	assert_int_equal(stats(store).evictions, 50);
	assert_int_equal(stats(store).sessions, 0);
	memweir_session_store_free(store);
}

static void *busy(void *arg)
{
	struct memweir_session_store *store = arg;
	static _Atomic unsigned int turns;
	char data[3000], id[32];
	void *buf = NULL;
	size_t size = 0, n, who = turns++;

	for (size_t i = 0; i < 400; i++) {
		snprintf(id, sizeof(id), "s%zu", (i * 7 + who) % 97);
		n = (size_t)snprintf(data, sizeof(data), "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"%0*d\"}", i,
				     (int)(i * 7 % 900), 1);
		assert_int_equal(memweir_session_store_put(store, id, data, n), 0);
		snprintf(id, sizeof(id), "s%zu", i % 97);
		memweir_session_store_get(store, id, &buf, &size, &n);
		if (i % 50 == 0)
			stats(store);
	}
	free(buf);
	return NULL;
}

static void threads(void **state)
{
	struct memweir_session_store *store = store_of((struct memweir_session_options){.train_after = 50});
	pthread_t t[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, busy, store), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(stats(store).sessions, 97);
	memweir_session_store_free(store);
}

/* Many ids: the table grows and shrinks while it is used. */
static void many(void **state)
{
	struct memweir_session_store *store = store_of(
		(struct memweir_session_options){.max_bytes = 16 * MIB, .train_after = MEMWEIR_SESSION_NO_TRAINING});
	void *buf = NULL;
	size_t size = 0, n;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		assert_int_equal(memweir_session_store_put(store, id_of(i), &i, sizeof(i)), 0);
		if (i % 3 == 0)
			assert_int_equal(memweir_session_store_remove(store, id_of(i / 2)), 0);
		if (i % 3 == 0)
			assert_int_equal(memweir_session_store_put(store, id_of(i / 2), &i, sizeof(i)), 0);
	}
	assert_int_equal(stats(store).sessions, 20000);
	for (size_t i = 10000; i < 20000; i++) {
		assert_int_equal(memweir_session_store_get(store, id_of(i), &buf, &size, &n), 0);
		assert_memory_equal(buf, &i, sizeof(i));
	}
	for (size_t i = 0; i < 19990; i++)
		assert_int_equal(memweir_session_store_remove(store, id_of(i)), 0);
	for (size_t i = 19990; i < 20000; i++)
		assert_int_equal(memweir_session_store_get(store, id_of(i), &buf, &size, &n), 0);
	assert_int_equal(stats(store).trainings, 0);
	free(buf);
	memweir_session_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(put_and_get, fresh),
		cmocka_unit_test_setup(bad_input, fresh),
		cmocka_unit_test_setup(bounded, fresh),
		cmocka_unit_test_setup(too_large, fresh),
		cmocka_unit_test_setup(damaged, fresh),
		cmocka_unit_test_setup(in_order, fresh),
		cmocka_unit_test_setup(evicted_are_told, fresh),
		cmocka_unit_test_setup(threads, fresh),
		cmocka_unit_test_setup(many, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
