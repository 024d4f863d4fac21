// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Who is told, of what, when; and how one stops being told. */
#include "guard_tree.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "lib/guard_notes.h"

static char heard[256]; /* "0<2 usage;": event, reached, what */

static void hears(struct memweir_guard *g, const struct memweir_notice *n, void *arg)
{
	size_t used = strlen(heard);

	(void)g;
	(void)arg;
	assert_int_equal(n->size, sizeof(*n));
	snprintf(heard + used, sizeof(heard) - used, "%d<%d %s;", (int)n->event, (int)n->reached, n->what);
}

static struct memweir_guard *listening(void)
{
	struct memweir_guard *g = enrolled("tool");

	for (int e = 0; e < MEMWEIR_EVENT_MAX; e++)
		assert_int_equal(memweir_guard_on_level(g, (enum memweir_event)e, hears, NULL), 0);
	heard[0] = '\0';
	return g;
}

static void use(struct memweir_guard *g, uint64_t anon)
{
	memory_is("/w", (struct fake_memory){.anon = anon, .file = MILLION});
	assert_true(memweir_guard_validate_exact(g, NULL) >= 0);
}

static void mildest_first(void **state)
{
	struct memweir_guard *g = listening();

	(void)state;
	use(g, 20 * MILLION);
	assert_string_equal(heard, "");
	use(g, 39 * MILLION);
	assert_string_equal(heard, "0<0 usage;");
	use(g, 39 * MILLION); /* said; again only after a while */
	assert_string_equal(heard, "0<0 usage;");
	use(g, 48 * MILLION);
	assert_string_equal(heard, "0<0 usage;0<2 usage;1<2 usage;2<2 usage;");
	heard[0] = '\0';
	use(g, 39 * MILLION); /* it falls: that is what was asked for */
	assert_string_equal(heard, "");
	use(g, 43 * MILLION);
	assert_string_equal(heard, "0<1 usage;1<1 usage;");
	memweir_guard_free(g);
}

static void bin_alone(void **state)
{
	struct memweir_guard *g = listening();

	(void)state;
	memory_is("/w", (struct fake_memory){.kernel = 26 * MILLION});
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_ERROR);
	assert_string_equal(heard, "0<0 usage;");
	memweir_guard_free(g);
}

static void raised(void **state)
{
	struct memweir_guard *g = listening();

	(void)state;
	assert_int_equal(memweir_guard_raise(g, MEMWEIR_EVENT_HIBERNATE, "tokens"), 2);
	mw_lib_guard_exhausted(g, "pool");
	mw_lib_guard_exhausted(NULL, "pool");
	assert_string_equal(heard, "0<1 tokens;1<1 tokens;0<0 pool;");
	assert_int_equal(memweir_guard_on_level(g, MEMWEIR_EVENT_WARNING, NULL, NULL), 0);
	assert_int_equal(memweir_guard_raise(g, MEMWEIR_EVENT_WARNING, NULL), 0);
	assert_int_equal(memweir_guard_raise(g, MEMWEIR_EVENT_MAX, "x"), -EINVAL);
	assert_int_equal(memweir_guard_on_level(g, MEMWEIR_EVENT_MAX, hears, NULL), -EINVAL);
	memweir_guard_free(g);
}

/* From inside: everything may be called, nothing calls itself without end. */
static void from_inside(struct memweir_guard *g, const struct memweir_notice *n, void *arg)
{
	int *calls = arg;

	(*calls)++;
	assert_true(memweir_guard_validate_exact(g, NULL) >= 0);
	assert_int_equal(memweir_guard_raise(g, n->event, "again"), 0);
	assert_true(memweir_guard_hibernate(g) >= 0);
	assert_int_equal(memweir_guard_on_level(g, n->event, NULL, NULL), 0);
}

static void callbacks_may_call(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	int calls = 0;

	(void)state;
	memweir_guard_on_level(g, MEMWEIR_EVENT_WARNING, from_inside, &calls);
	use(g, 49 * MILLION);
	assert_int_equal(calls, 1);
	assert_int_equal(memweir_guard_raise(g, MEMWEIR_EVENT_WARNING, "x"), 0); /* it took itself away */
	memweir_guard_free(g);
}

static atomic_int entered, may_leave, left;

static void stays(struct memweir_guard *g, const struct memweir_notice *n, void *arg)
{
	(void)g;
	(void)n;
	(void)arg;
	atomic_store(&entered, 1);
	while (!atomic_load(&may_leave))
		poll(NULL, 0, 1);
	atomic_store(&left, 1);
}

static void *raises(void *arg)
{
	memweir_guard_raise(arg, MEMWEIR_EVENT_WARNING, "x");
	return NULL;
}

static void *lets_go(void *arg)
{
	(void)arg;
	poll(NULL, 0, 20); /* so that who takes it away most likely waits already; right in any order */
	atomic_store(&may_leave, 1);
	return NULL;
}

static void taken_away_while_running(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	pthread_t runner, other;

	(void)state;
	memweir_guard_on_level(g, MEMWEIR_EVENT_WARNING, stays, NULL);
	assert_int_equal(pthread_create(&runner, NULL, raises, g), 0);
	while (!atomic_load(&entered))
		poll(NULL, 0, 1);
	assert_int_equal(memweir_guard_raise(g, MEMWEIR_EVENT_WARNING, "x"), 0); /* runs already: not held up */
	assert_int_equal(pthread_create(&other, NULL, lets_go, NULL), 0);
	assert_int_equal(memweir_guard_on_level(g, MEMWEIR_EVENT_WARNING, NULL, NULL), 0);
	assert_int_equal(atomic_load(&left), 1);
	pthread_join(runner, NULL);
	pthread_join(other, NULL);
	memweir_guard_free(g);
}

struct owner {
	atomic_bool gone;
	atomic_int after;
};

static void checks_owner(struct memweir_guard *g, const struct memweir_notice *n, void *arg)
{
	struct owner *o = arg;

	(void)g;
	(void)n;
	if (atomic_load(&o->gone))
		atomic_fetch_add(&o->after, 1);
}

static void *raises_often(void *arg)
{
	for (int i = 0; i < 5000; i++)
		memweir_guard_raise(arg, MEMWEIR_EVENT_CRITICAL, "x");
	return NULL;
}

/* What a callback uses may be freed as soon as it was taken away. */
static void never_after(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	pthread_t threads[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, raises_often, g), 0);
	for (int i = 0; i < 300; i++) {
		struct owner *o = calloc(1, sizeof(*o));

		memweir_guard_on_level(g, MEMWEIR_EVENT_WARNING, checks_owner, o);
		memweir_guard_on_level(g, MEMWEIR_EVENT_WARNING, NULL, NULL);
		atomic_store(&o->gone, true);
		assert_int_equal(atomic_load(&o->after), 0);
		free(o); /* read after that: the sanitizers see it */
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	memweir_guard_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(mildest_first),
		guard_test(bin_alone),
		guard_test(raised),
		guard_test(callbacks_may_call),
		guard_test(taken_away_while_running),
		guard_test(never_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
