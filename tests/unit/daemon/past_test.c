/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who comes back under the same name is known again. */
#include "../unit.h"

#include <stdlib.h>

#include "daemon/guard.h"

static struct mw_guard g;

static int start(void **state)
{
	(void)state;
	g = (struct mw_guard){.run_fd = -1};
	return mw_workers_init(&g.workers, 4);
}

static int stop(void **state)
{
	(void)state;
	mw_past_close(&g);
	mw_workers_free(&g.workers);
	return 0;
}

static struct mw_worker *comes(const char *name, __u64 id, const char *engine, const char *container, const char *unit)
{
	struct mw_worker *w;

	assert_int_equal(mw_worker_add(&g.workers, name, "tool", "/x", -1, id, 5, &w), 0);
	if (container) {
		w->container = calloc(1, sizeof(*w->container));
		snprintf(w->container->engine, sizeof(w->container->engine), "%s", engine);
		snprintf(w->container->name, sizeof(w->container->name), "%s", container);
	}
	if (unit) {
		w->unit = calloc(1, sizeof(*w->unit));
		snprintf(w->unit->name, sizeof(w->unit->name), "%s", unit);
	}
	mw_past_take(&g, w);
	return w;
}

static void goes(struct mw_worker *w)
{
	mw_past_keep(&g, w);
	mw_worker_remove(&g.workers, w);
}

static void goes_on(void **state)
{
	struct mw_worker *w = comes("web", 1, "docker", "web", "docker-1.scope");

	(void)state;
	mw_series_push(&w->history, (struct mw_point){1, 100});
	w->peak = 300;
	w->lifts = 2;
	w->hold.conflicts = 4;
	goes(w);
	w = comes("web", 2, "docker", "web", "docker-2.scope"); /* another scope, the same container */
	assert_int_equal(w->history.count, 1);
	assert_int_equal(w->history.capacity, 5);
	assert_true(w->peak == 300 && w->lifts == 2 && w->hold.conflicts == 4);
	assert_int_equal(w->restarts, 1);
	goes(w);
	w = comes("web", 3, "docker", "web", NULL);
	assert_int_equal(w->restarts, 2);
	assert_true(mw_series_push(&w->history, (struct mw_point){2, 100}));
}

static void is_nobody_else(void **state)
{
	struct mw_worker *w = comes("web", 1, "docker", "web", NULL);

	(void)state;
	w->peak = 300;
	goes(w);
	w = comes("web", 2, "podman", "web", NULL);
	assert_true(!w->peak && !w->restarts && w->history.capacity == 5);
	goes(w);
	w = comes("other", 3, "docker", "web", NULL);
	assert_true(!w->peak && !w->restarts);
	goes(w);
	w = comes("web", 4, NULL, NULL, "web.service");
	assert_true(!w->peak && !w->restarts);
	goes(w);
	w = comes("web", 5, NULL, NULL, NULL); /* a cgroup: nobody knows whether it is the same */
	goes(w);
	w = comes("web", 6, NULL, NULL, NULL);
	assert_int_equal(w->restarts, 0);
}

static void keeps_a_few(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "w%d", i);
		goes(comes(name, 1, "docker", name, NULL));
	}
	assert_int_equal(comes("w99", 1, "docker", "w99", NULL)->restarts, 1);
	assert_int_equal(comes("w0", 2, "docker", "w0", NULL)->restarts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_on, start, stop),
		cmocka_unit_test_setup_teardown(is_nobody_else, start, stop),
		cmocka_unit_test_setup_teardown(keeps_a_few, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
