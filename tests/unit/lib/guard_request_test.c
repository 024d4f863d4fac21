// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What requests cost. */
#include "guard_tree.h"

static struct memweir_request_usage end(struct memweir_guard *g, uint64_t request)
{
	struct memweir_request_usage u = MEMWEIR_INIT(struct memweir_request_usage);

	assert_int_equal(memweir_guard_request_end(g, request, &u), 0);
	return u;
}

static void growth_and_peak_of_looks(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	struct memweir_request_usage u;
	uint64_t request;

	(void)state;
	assert_int_equal(memweir_guard_request_begin(g, &request), 0);
	memory_is("/w", (struct fake_memory){.anon = 30 * MILLION, .kernel = 2 * MILLION, .file = MILLION});
	memweir_guard_validate_exact(g, NULL);
	memory_is("/w", (struct fake_memory){.anon = 11 * MILLION, .kernel = 2 * MILLION, .file = 2 * MILLION});
	u = end(g, request);
	assert_int_equal(u.growth_bytes, MILLION);
	assert_int_equal(u.peak_bytes, 33 * MILLION);
	assert_int_equal(u.peak_growth_bytes, 20 * MILLION);
	assert_int_equal(u.peak_exact, 0);
	assert_int_equal(u.others, 0);
	assert_true(u.duration_ns > 0);
	assert_int_equal(memweir_guard_request_end(g, request, NULL), -EINVAL);
	assert_int_equal(memweir_guard_request_end(g, 0, NULL), -EINVAL);
	assert_int_equal(memweir_guard_request_begin(g, &request), 0);
	memory_is("/w", (struct fake_memory){.anon = MILLION});
	assert_int_equal(end(g, request).growth_bytes, -12 * (int64_t)MILLION);
	memweir_guard_free(g);
}

static void the_kernels_peak(void **state)
{
	struct memweir_guard *g;
	struct memweir_request_usage u;
	uint64_t request;

	(void)state;
	in_cgroup("/w", "memory.peak", "99000000\n");
	g = enrolled("tool");
	assert_true(memweir_guard_capabilities(g) & MEMWEIR_CAN_PEAK);
	assert_int_equal(memweir_guard_request_begin(g, &request), 0);
	assert_true(tree_begins("cg/w/memory.peak", "r")); /* written to: the descriptor begins anew */
	in_cgroup("/w", "memory.peak", "40000000\n");
	u = end(g, request);
	assert_int_equal(u.peak_exact, 1);
	assert_int_equal(u.peak_bytes, 40 * MILLION);
	assert_int_equal(u.peak_growth_bytes, 27 * MILLION);
	memweir_guard_free(g);
}

/* A peak of the cgroup that was left says nothing of this one. */
static void moved_meanwhile(void **state)
{
	struct memweir_guard *g;
	struct memweir_request_usage u;
	uint64_t request;

	(void)state;
	in_cgroup("/w", "memory.peak", "99000000\n");
	g = enrolled("tool");
	assert_int_equal(memweir_guard_request_begin(g, &request), 0);
	in_cgroup("/w", "memory.peak", "40000000\n");
	memory_is("/v", (struct fake_memory){.anon = 5 * MILLION});
	stand_in("/v");
	u = end(g, request);
	assert_int_equal(u.peak_exact, 0);
	assert_int_equal(u.peak_bytes, 13 * MILLION);
	memweir_guard_free(g);
}

static void so_many_at_most(void **state)
{
	struct memweir_guard *g = enrolled("tool");
	uint64_t ids[64], one;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(memweir_guard_request_begin(g, &ids[i]), 0);
	one = 7;
	assert_int_equal(memweir_guard_request_begin(g, &one), -EBUSY);
	assert_int_equal(one, 7);
	assert_int_equal(end(g, ids[5]).others, 63);
	assert_int_equal(memweir_guard_request_begin(g, &one), 0);
	assert_int_equal(end(g, ids[0]).others, 64);
	assert_int_equal(end(g, one).others, 63);
	memweir_guard_free(g); /* the others are open still */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(growth_and_peak_of_looks),
		guard_test(the_kernels_peak),
		guard_test(moved_meanwhile),
		guard_test(so_many_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
