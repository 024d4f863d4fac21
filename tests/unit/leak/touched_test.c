/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "leak/touched.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PAGE 4096ULL
#define S    MW_NS_PER_S

/* As the kernel writes it: a worker with a cgroup of its own below it and one whose name begins alike, two nodes. */
static const char text[] = "memcg     1 /\n"
			   " node     0\n"
			   "          0       5000        100         200 \n"
			   "memcg     7 /memweir/tool/a\n"
			   " node     0\n"
			   "          3      32212      25349           0 \n"
			   "          4      12148       3128          11 \n"
			   "          5       6052      11285           0 \n"
			   "          6         20          0           0 \n"
			   " node     1\n"
			   "          8         20          7           0 \n"
			   "memcg     9 /memweir/tool/a/inner\n"
			   " node     0\n"
			   "          2        120         40           0 \n"
			   "          3         20          2           0 \n"
			   "memcg    11 /memweir/tool/ab\n"
			   " node     0\n"
			   "          2        120       9999           0 \n";

static int parse(const char *from, const char *cgroup, struct mw_touched_lists *ret_lists)
{
	_cleanup_free_ char *copy = strdup(from);
	_cleanup_fclose_ FILE *f = copy ? fmemopen(copy, strlen(copy), "r") : NULL;

	assert_non_null(f);
	return mw_touched_parse(f, cgroup, ret_lists);
}

static void lists_of_a_worker(void **state)
{
	struct mw_touched_lists l;

	(void)state;
	assert_int_equal(parse(text, "/memweir/tool/a", &l), 0);
	assert_int_equal(l.n, 3);
	assert_false(l.too_many);
	assert_int_equal(l.at[0].memcg, 7);
	assert_int_equal(l.at[0].youngest, 6);
	assert_int_equal(l.at[0].n, 4);
	assert_int_equal(l.at[0].pages[0], 0);
	assert_int_equal(l.at[0].pages[1], 11285);
	assert_int_equal(l.at[0].pages[3], 25349);
	assert_int_equal(l.at[1].node, 1);
	assert_int_equal(l.at[1].pages[0], 7);
	assert_int_equal(l.at[2].memcg, 9);
	assert_int_equal(parse(text, "/memweir/tool/ab", &l), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(parse(text, "/memweir/tool", &l), 0);
	assert_int_equal(l.n, 4);
}

static void what_is_not_understood(void **state)
{
	struct mw_touched_lists l = {.n = 77};
	char many[8192] = "";

	(void)state;
	assert_int_equal(parse(text, "/memweir/tool/b", &l), -ENOENT);
	assert_int_equal(parse("memcg 7 /w\n node 0\n what is this\n", "/w", &l), -EBADMSG);
	assert_int_equal(parse("memcg 7 /w\n node 0\n 3 1 1 1\n 5 1 1 1\n", "/w", &l), -EBADMSG);
	assert_int_equal(parse("memcg 7 /w\n node 0\n 1 1 1 1\n 2 1 1 1\n 3 1 1 1\n 4 1 1 1\n 5 1 1 1\n", "/w", &l),
			 -EBADMSG);
	assert_int_equal(l.n, 77);
	for (int i = 0; i <= MW_TOUCHED_LISTS; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "memcg %d /w/%d\n node 0\n 1 1 5 0\n", i, i);
	assert_int_equal(parse(many, "/w", &l), 0);
	assert_true(l.too_many);
}

static struct mw_touched_lists lists(__u64 youngest, const __u64 pages[4], __u64 n)
{
	struct mw_touched_lists l = {.n = 1};

	l.at[0] = (struct mw_touched_list){.memcg = 7, .youngest = youngest, .n = n};
	memcpy(l.at[0].pages, pages, sizeof(l.at[0].pages));
	return l;
}

/* The figures of a real one: 64 MB cold and 1 MB more at each half second, 32 MB hot. */
static void what_was_not_touched_since(void **state)
{
	struct mw_touched t = {0};
	struct mw_touched_lists l = lists(6, (const __u64[]){0, 11285, 3128, 25349}, 4);

	(void)state;
	assert_true(mw_touched_due(&t, 100 * S));
	mw_touched_take(&t, &l, PAGE, 0, 100 * S);
	assert_false(t.known);
	assert_int_equal(t.held_bytes, (11285 + 3128 + 25349) * PAGE);
	assert_false(mw_touched_due(&t, 109 * S));
	assert_true(mw_touched_due(&t, 110 * S));

	l = lists(7, (const __u64[]){0, 11271, 3084, 28476}, 4);
	mw_touched_take(&t, &l, PAGE, 0, 111 * S);
	assert_true(t.known);
	assert_int_equal(t.span_ns, 11 * S);
	assert_int_equal(t.of_bytes, (11285 + 3128 + 25349) * PAGE);
	assert_int_equal(t.untouched_bytes, (28476 + 3084) * PAGE);
	/* The same beginning for a longer word, and only then a new one. */
	assert_false(mw_touched_due(&t, 129 * S));
	l = lists(8, (const __u64[]){0, 11027, 6156, 31559}, 4);
	mw_touched_take(&t, &l, PAGE, 0, 131 * S);
	assert_true(t.known);
	assert_int_equal(t.span_ns, 31 * S);
	assert_int_equal(t.untouched_bytes, 31559 * PAGE);
	assert_int_equal(t.since_ns, 131 * S);
	assert_int_equal(t.marks[0].from, 8);
	assert_int_equal(t.words, 0);
}

static void what_is_swapped_out_is_not_touched(void **state)
{
	struct mw_touched t = {0};
	struct mw_touched_lists l = lists(6, (const __u64[]){0, 1000, 0, 1000}, 4);

	(void)state;
	mw_touched_take(&t, &l, PAGE, 100 * PAGE, 100 * S);
	l = lists(7, (const __u64[]){0, 1000, 100, 100}, 4);
	mw_touched_take(&t, &l, PAGE, 900 * PAGE, 140 * S);
	assert_true(t.known);
	assert_int_equal(t.of_bytes, 2100 * PAGE);
	assert_int_equal(t.untouched_bytes, 1100 * PAGE);
	assert_int_equal(t.swapped_bytes, 900 * PAGE);
	/* More is out than there was: never more than all. */
	l = lists(8, (const __u64[]){0, 0, 0, 0}, 4);
	mw_touched_take(&t, &l, PAGE, 9000 * PAGE, 180 * S);
	assert_int_equal(t.untouched_bytes, t.of_bytes);
}

/* Short of memory the kernel ages by itself: old and new then lie in one generation. */
static void what_the_kernel_aged_itself(void **state)
{
	struct mw_touched t = {0};
	struct mw_touched_lists l = lists(6, (const __u64[]){0, 1000, 0, 1000}, 4);

	(void)state;
	mw_touched_take(&t, &l, PAGE, 0, 100 * S);
	l = lists(8, (const __u64[]){0, 500, 500, 1000}, 4); /* once: gone well */
	mw_touched_take(&t, &l, PAGE, 0, 111 * S);
	assert_true(t.known);
	assert_int_equal(t.untouched_bytes, 1000 * PAGE);
	l = lists(9, (const __u64[]){0, 500, 500, 1000}, 4);
	mw_touched_take(&t, &l, PAGE, 0, 131 * S);
	assert_false(t.known);
	assert_int_equal(t.since_ns, 131 * S); /* begun anew */
	/* Another set of cgroups than before says nothing either. */
	l.at[1] = l.at[0];
	l.n = 2;
	mw_touched_take(&t, &l, PAGE, 0, 180 * S);
	assert_false(t.known);
	l.too_many = true;
	mw_touched_take(&t, &l, PAGE, 0, 220 * S);
	assert_false(t.known);
	assert_int_equal(t.since_ns, 0);
}

static void write_file(const char *root, const char *name, const char *content)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

static void make_dir(const char *root, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

/* A kernel without it, with it switched off, and one that does not look into page tables: not known, each. */
static void kernels_that_cannot_tell(void **state)
{
	char root[] = "/tmp/mw-touched.XXXXXX", command[64];
	struct mw_touched t = {0};

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(mw_touched_probe(root), -EOPNOTSUPP);
	make_dir(root, "/kernel");
	make_dir(root, "/kernel/mm");
	make_dir(root, "/kernel/mm/lru_gen");
	make_dir(root, "/kernel/debug");
	write_file(root, "/kernel/debug/lru_gen", text);
	write_file(root, "/kernel/mm/lru_gen/enabled", "0x0000\n");
	assert_int_equal(mw_touched_probe(root), -EOPNOTSUPP);
	write_file(root, "/kernel/mm/lru_gen/enabled", "0x0005\n");
	assert_int_equal(mw_touched_probe(root), -EOPNOTSUPP);
	write_file(root, "/kernel/mm/lru_gen/enabled", "0x0007\n");
	assert_int_equal(mw_touched_probe(root), 0);
	assert_int_equal(mw_touched_look(root, "/memweir/tool/none", 0, &t), -ENOENT);
	assert_int_equal(t.since_ns, 0);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_a_worker),	       cmocka_unit_test(what_is_not_understood),
		cmocka_unit_test(what_was_not_touched_since),  cmocka_unit_test(what_is_swapped_out_is_not_touched),
		cmocka_unit_test(what_the_kernel_aged_itself), cmocka_unit_test(kernels_that_cannot_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
