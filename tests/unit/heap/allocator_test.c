/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Programs whose allocator is not libc's: jemalloc, tcmalloc. Each of their doors counts, whichever memory leaves by.
 */
#include "program.h"

#include <math.h>

#define CODE_SIZE 65536 /* more than a worker has */

static const char *const allocators[] = {"jemalloc", "tcmalloc"};

static const char *worker(const char *name, const char *allocator, const char *more)
{
	static char text[64];

	snprintf(text, sizeof(text), "tests/workers/%s%s%s", name, allocator, more);
	return built(text);
}

/* What leaks through one door is named by the line that calls it, for as much as it is; of all else nothing is left. */
static void leaks_through(const char *program, const char *door, bool counted_inside)
{
	const char *argv[] = {program, door, NULL};
	struct program p = program_start("8192", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	double said, other;
	__u64 first;

	program_ready(&p);
	program_read(p.who, &h);
	said = (double)guilty_bytes(&p, &h);
	other = (double)h.live_bytes - said;
	print_message("%s %s: holds %llu, said %.0f and %.0f of others, %llu taken, %llu freed\n",
		      strrchr(program, '/') + 1, door, p.held, said, other, h.counts[MW_HEAP_COUNT_TAKEN],
		      h.counts[MW_HEAP_COUNT_FREED]);
	assert_true(h.n_sites > 0);
	assert_true(is_guilty(&p, &h.sites[0]));
	/* The program's own code comes first, and not what lies between: libstdc++ calls malloc for new, these do not.
	 */
	first = h.sites[0].frames[0];
	assert_true(!counted_inside || (first > p.begin - CODE_SIZE && first < p.end + CODE_SIZE));
	assert_true(fabs(said - (double)p.held) < 0.2 * (double)p.held);
	assert_true(other < 0.05 * (double)p.held);
	assert_true(h.counts[MW_HEAP_COUNT_FREED] > 500);
	assert_int_equal(h.lost_bytes, 0);
	assert_int_equal(program_end(&p), 0);
}

static void each_door(const char *program, const char *const *doors, bool counted_inside)
{
	if (!have(program))
		skip();
	for (; *doors; doors++)
		leaks_through(program, *doors, counted_inside);
}

#define OF_C   "malloc", "calloc", "realloc", "memalign", "posix"
#define OF_CXX "new", "nothrow", "array", "aligned"

static void doors_of_libc(void **state)
{
	static const char *const doors[] = {OF_C, OF_CXX, NULL};

	(void)state;
	each_door(built("tests/workers/heap_doors"), doors, false);
}

static void doors_of_jemalloc(void **state)
{
	static const char *const doors[] = {OF_C, OF_CXX, "mallocx", "rallocx", "xallocx", NULL};

	(void)state;
	each_door(worker("heap_doors_", "jemalloc", ""), doors, true);
}

static void doors_of_tcmalloc(void **state)
{
	static const char *const doors[] = {OF_C, OF_CXX, "tc_malloc", "tc_realloc", "tc_memalign", NULL};

	(void)state;
	each_door(worker("heap_doors_", "tcmalloc", ""), doors, true);
}

/* An administrator's: before a program that knows nothing of it. */
static void an_allocator_that_is_preloaded(void **state)
{
	static const char *const names[] = {"libjemalloc.so.2", "libtcmalloc_minimal.so.4"};
	static const char *const doors[] = {OF_C, OF_CXX, NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!have(worker("heap_doors_", allocators[i], "")))
			skip();
		program_preload = names[i];
		each_door(built("tests/workers/heap_doors"), doors, true);
	}
	program_preload = NULL;
}

/* Hooks that do not what we know of them are given back, and the program is counted where it calls us. */
static void hooks_that_lie(void **state)
{
	static const char *const promises[] = {"honest", "mute", "sizes", "places", "ends", "refuses"};
	static char liar[PATH_MAX];

	(void)state;
	if (!have(built("tests/workers/heap_doors")))
		skip();
	snprintf(liar, sizeof(liar), "%s", built("tests/workers/heap_liar.so"));
	program_preload = liar;
	for (size_t i = 0; i < ARRAY_SIZE(promises); i++) {
		static const char *const doors[] = {"malloc", "new", NULL};

		print_message("# %s\n", promises[i]);
		setenv("HEAP_LIAR", promises[i], 1);
		each_door(built("tests/workers/heap_doors"), doors, false);
	}
	unsetenv("HEAP_LIAR");
	program_preload = NULL;
}

/* A program in one of two shapes: C alone is counted where it calls us, and by the hooks once there is C++ in it. */
static void for_each_shape(void (*what)(const char *program))
{
	static const char *const shapes[] = {"", "_cxx"};

	for (size_t i = 0; i < ARRAY_SIZE(allocators) * ARRAY_SIZE(shapes); i++) {
		const char *program =
			worker("heap_", allocators[i / ARRAY_SIZE(shapes)], shapes[i % ARRAY_SIZE(shapes)]);

		if (!have(program))
			skip();
		print_message("# %s\n", program);
		what(program);
	}
}

/* Objects, a buffer that grows, threads, mappings: named first, for as much as it is. */
static void finds(const char *program)
{
	static const char *const modes[][3] = {{"objects", "900", "8"}, {"objects", "16384", "32"},
					       {"grow", "1000", "8"},	{"threads", "512", "8"},
					       {"maps", "65536", "32"}, {"remap", "1048576", "16"}};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const char *argv[] = {program, modes[i][0], modes[i][1], modes[i][2], NULL};
		struct program p = program_start("16384", argv);
		_cleanup_(mw_heap_free) struct mw_heap h = {0};

		program_ready(&p);
		program_read(p.who, &h);
		print_message("%s %s: holds %llu, said %llu\n", modes[i][0], modes[i][1], p.held, guilty_bytes(&p, &h));
		assert_true(h.n_sites > 0 && is_guilty(&p, &h.sites[0]));
		assert_true(fabs((double)guilty_bytes(&p, &h) - (double)p.held) < 0.2 * (double)p.held);
		assert_int_equal(program_end(&p), 0);
	}
}

static void a_leak_is_found(void **state)
{
	(void)state;
	for_each_shape(finds);
}

static void does_what_it_does(const char *program)
{
	const char *argv[] = {program, "names", NULL};
	struct program p = program_start("4096", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	program_ready(&p);
	program_read(p.who, &h);
	print_message("%llu taken, %llu freed\n", h.counts[MW_HEAP_COUNT_TAKEN], h.counts[MW_HEAP_COUNT_FREED]);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] > 5000);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] - h.counts[MW_HEAP_COUNT_FREED] < 20);
	assert_int_equal(program_end(&p), 0);
}

static void every_name_does_what_the_allocators_does(void **state)
{
	(void)state;
	for_each_shape(does_what_it_does);
}

static void exchanges(const char *program)
{
	const char *argv[] = {program, "exchange", "2048", NULL};
	struct program p = program_start("8192", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	program_ready(&p);
	program_read(p.who, &h);
	print_message("%llu taken, %llu freed, %llu live\n", h.counts[MW_HEAP_COUNT_TAKEN],
		      h.counts[MW_HEAP_COUNT_FREED], h.samples);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] > 50000);
	assert_true(h.samples < 20);
	assert_int_equal(program_end(&p), 0);
}

static void nothing_is_left_of_what_was_freed(void **state)
{
	(void)state;
	for_each_shape(exchanges);
}

static void storms(const char *program)
{
	const char *argv[] = {program, "storm", "512", "1", NULL};
	struct program p = program_start("4096", argv);
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	program_ready(&p);
	program_read(p.who, &h);
	assert_true(h.counts[MW_HEAP_COUNT_MAPPED] > 100);
	assert_true(h.counts[MW_HEAP_COUNT_TAKEN] > 1000);
	assert_int_equal(program_end(&p), 0);
}

static void a_storm_of_dlopen_threads_and_signals(void **state)
{
	(void)state;
	for_each_shape(storms);
}

/* Nothing can come between a program and its own code: that is told, and its mappings are all there is. */
static void an_allocator_inside_the_program_is_told(void **state)
{
	const char *argv[] = {built("tests/workers/heap_doors_inside"), "new", NULL};
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	struct program p;

	(void)state;
	if (!have(argv[0]))
		skip();
	p = program_start("65536", argv);
	program_ready(&p);
	program_read(p.who, &h);
	assert_int_equal(h.n_silent, 1);
	assert_int_equal(h.counts[MW_HEAP_COUNT_TAKEN], 0);
	for (size_t i = 0; i < h.n_sites; i++)
		assert_int_equal(h.sites[i].kind, MW_HEAP_MAPPING_ANON);
	assert_int_equal(program_end(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doors_of_libc),
		cmocka_unit_test(doors_of_jemalloc),
		cmocka_unit_test(doors_of_tcmalloc),
		cmocka_unit_test(an_allocator_that_is_preloaded),
		cmocka_unit_test(hooks_that_lie),
		cmocka_unit_test(a_leak_is_found),
		cmocka_unit_test(every_name_does_what_the_allocators_does),
		cmocka_unit_test(nothing_is_left_of_what_was_freed),
		cmocka_unit_test(a_storm_of_dlopen_threads_and_signals),
		cmocka_unit_test(an_allocator_inside_the_program_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
