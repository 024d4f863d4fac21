/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/culprit.h"
#include "util/clock.h"

#define S   MW_NS_PER_S
#define MB  (1ULL << 20) /* whole pages: a track keeps no less */
#define NOW (1000 * S)

static struct mw_workers ws;
static struct mw_track tracks[8];

static struct mw_worker *add(const char *name, const char *cgroup, __u64 id)
{
	struct mw_worker *w;

	assert_int_equal(mw_worker_add(&ws, name, "tool", cgroup, -1, id, 10, &w), 0);
	w->started_ns = 1 * S;
	w->track = &tracks[id];
	memset(w->track, 0, sizeof(*w->track));
	return w;
}

static void look(struct mw_worker *w, __u64 time_ns, __u64 bytes)
{
	struct mw_usage u = {.time_ns = time_ns, .current = bytes};

	mw_track_note(w->track, &u);
}

/* From so much to so much in the seconds before now. */
static void grew(struct mw_worker *w, __u64 seconds, __u64 from, __u64 to)
{
	for (__u64 i = 0; i <= seconds; i++)
		look(w, NOW - (seconds - i) * S, from + (to - from) * i / seconds);
}

static int setup(void **state)
{
	(void)state;
	return mw_workers_init(&ws, 8);
}

static int teardown(void **state)
{
	(void)state;
	mw_workers_free(&ws);
	return 0;
}

static enum mw_limit_of at(const char *path, const char *limit)
{
	return mw_limit_at(path, strlen(limit), "memweir.slice/memweir.scope");
}

static void whose_limit(void **state)
{
	const char *path = "/memweir.slice/memweir.scope/tool/a";

	(void)state;
	assert_int_equal(at(path, path), MW_LIMIT_WORKER);
	assert_int_equal(at(path, "/memweir.slice/memweir.scope/tool"), MW_LIMIT_CLASS);
	assert_int_equal(at(path, "/memweir.slice/memweir.scope"), MW_LIMIT_TREE);
	assert_int_equal(at(path, "/memweir.slice"), MW_LIMIT_ANCESTOR);
	assert_int_equal(at(path, ""), MW_LIMIT_ANCESTOR);
	/* attached: what stands above it is none of ours, however it is called */
	path = "/system.slice/docker/b";
	assert_int_equal(at(path, path), MW_LIMIT_WORKER);
	assert_int_equal(at(path, "/system.slice/docker"), MW_LIMIT_ANCESTOR);
	path = "/memweir.slice/memweir.scope2/tool/a";
	assert_int_equal(at(path, "/memweir.slice/memweir.scope2"), MW_LIMIT_ANCESTOR);
	assert_int_equal(mw_limit_at("/x/y", 2, ""), MW_LIMIT_ANCESTOR); /* no tree of ours */
	/* the kernel named none */
	assert_int_equal(mw_limit_unnamed(MW_PAUSE_GLOBAL_RECLAIM), MW_LIMIT_HOST);
	assert_int_equal(mw_limit_unnamed(MW_PAUSE_OOM), MW_LIMIT_HOST);
	assert_int_equal(mw_limit_unnamed(MW_PAUSE_MAX_RECLAIM), MW_LIMIT_NONE);
	assert_int_equal(mw_limit_unnamed(MW_PAUSE_SWAP_IN), MW_LIMIT_NONE);
}

static void growth(void **state)
{
	struct mw_worker *w = add("w", "/m/tool/w", 1);
	__u64 span;

	(void)state;
	assert_int_equal(mw_grown(w, NOW, &span), 0);
	assert_int_equal(span, 0);
	grew(w, 40, 10 * MB, 50 * MB);
	assert_int_equal(mw_grown(w, NOW, &span), 10 * MB); /* of the last ten seconds */
	assert_int_equal(span, 10 * S);
	w->started_ns = NOW - 4 * S; /* young: all it has */
	assert_int_equal(mw_grown(w, NOW, &span), 50 * MB);
	assert_int_equal(span, 4 * S);
	w = add("shrinks", "/m/tool/s", 2);
	grew(w, 20, 50 * MB, 50 * MB);
	look(w, NOW + S / 2, 10 * MB);
	assert_int_equal(mw_grown(w, NOW, &span), 0);
}

static void found(void **state)
{
	struct mw_worker *a = add("a", "/m/tool/a", 1), *b = add("b", "/m/tool/b", 2), *c = add("c", "/m/context/c", 3),
			 *far = add("far", "/m/toolbox/far", 4), *out = add("out", "/elsewhere/out", 5);
	struct mw_cause cause = {.limit = MW_LIMIT_CLASS, .path = a->cgroup, .length = strlen("/m/tool")};

	(void)state;
	mw_culprit_find(&ws, NOW, &cause);
	assert_null(cause.culprit); /* nobody grew */
	grew(a, 20, 10 * MB, 20 * MB);
	grew(b, 20, 10 * MB, 90 * MB);
	grew(c, 20, 10 * MB, 170 * MB);
	grew(far, 20, 10 * MB, 300 * MB);
	grew(out, 20, 10 * MB, 400 * MB);
	mw_culprit_find(&ws, NOW, &cause);
	assert_ptr_equal(cause.culprit, b);
	assert_int_equal(cause.grown, 40 * MB);
	assert_int_equal(cause.span_ns, 10 * S);
	cause = (struct mw_cause){.limit = MW_LIMIT_TREE, .path = a->cgroup, .length = strlen("/m")};
	mw_culprit_find(&ws, NOW, &cause);
	assert_ptr_equal(cause.culprit, far);
	cause = (struct mw_cause){.limit = MW_LIMIT_ANCESTOR, .path = a->cgroup, .length = 0};
	mw_culprit_find(&ws, NOW, &cause);
	assert_ptr_equal(cause.culprit, out);
	cause = (struct mw_cause){.limit = MW_LIMIT_HOST};
	mw_culprit_find(&ws, NOW, &cause);
	assert_ptr_equal(cause.culprit, out);
	cause = (struct mw_cause){.limit = MW_LIMIT_WORKER, .path = a->cgroup, .length = strlen(a->cgroup)};
	mw_culprit_find(&ws, NOW, &cause);
	assert_null(cause.culprit);
	cause = (struct mw_cause){.limit = MW_LIMIT_NONE};
	mw_culprit_find(&ws, NOW, &cause);
	assert_null(cause.culprit);
}

static void little_growth_fills_nothing(void **state)
{
	struct mw_worker *a = add("a", "/m/tool/a", 1);
	struct mw_cause cause = {.limit = MW_LIMIT_HOST};

	(void)state;
	grew(a, 10, 10 * MB, 10 * MB + MB / 2);
	mw_culprit_find(&ws, NOW, &cause);
	assert_null(cause.culprit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_limit),
		cmocka_unit_test_setup_teardown(growth, setup, teardown),
		cmocka_unit_test_setup_teardown(found, setup, teardown),
		cmocka_unit_test_setup_teardown(little_growth_fills_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
