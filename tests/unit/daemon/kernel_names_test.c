/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/kernel_private.h"
#include "unit.h"
#include "util/cleanup.h"

#define ALL ((1U << MW_SYMBOL_MAX) - 1)

struct tree {
	char root[32], file[48];
	FILE *kallsyms;
};

static void tree_begin(struct tree *t)
{
	strcpy(t->root, "/tmp/mw-names-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	snprintf(t->file, sizeof(t->file), "%s/kallsyms", t->root);
	t->kallsyms = fopen(t->file, "w");
	assert_non_null(t->kallsyms);
}

static void tree_end(struct tree *t)
{
	assert_int_equal(unlink(t->file), 0);
	assert_int_equal(rmdir(t->root), 0);
}

/* Others, up to a line that ends short of the given offset. */
static void fill(struct tree *t, long until)
{
	while (until - ftell(t->kallsyms) >= 60)
		fprintf(t->kallsyms, "ffffffff81000000 T some_function\n");
}

static void test_symbols(void **state)
{
	__u64 at[MW_SYMBOL_MAX] = {};
	struct tree t;

	(void)state;
	tree_begin(&t);
	fprintf(t.kallsyms, "ffffffff8158caa0 t folio_wait_bit_common\n");
	fprintf(t.kallsyms, "ffffffff81000010 t not_read_pages\nffffffff81000020 t read_pages_not\n");
	fill(&t, 65536); /* the next line is read in two pieces */
	fprintf(t.kallsyms, "%*s", (int)(65536 - 20 - ftell(t.kallsyms)), "\n");
	fprintf(t.kallsyms, "ffffffff815a0210 t read_pages\n");
	fill(&t, 200000);
	fprintf(t.kallsyms, "ffffffffc0000030 t submit_bio\t[other]\n");
	fprintf(t.kallsyms, "ffffffff82a4d1c0 d mem_cgroup_stats_index\n");
	fclose(t.kallsyms);

	mw_kernel_symbols(t.root, ALL, at);
	assert_int_equal(at[MW_SYMBOL_WAIT_BIT], 0xffffffff8158caa0);
	assert_int_equal(at[MW_SYMBOL_READ_PAGES], 0xffffffff815a0210);
	assert_int_equal(at[MW_SYMBOL_SUBMIT_BIO], 0); /* a module's */
	assert_int_equal(at[MW_SYMBOL_STATS_INDEX], 0xffffffff82a4d1c0);
	tree_end(&t);
}

static void test_only_what_is_wanted(void **state)
{
	__u64 at[MW_SYMBOL_MAX] = {};
	struct tree t;

	(void)state;
	tree_begin(&t);
	fprintf(t.kallsyms, "0000000000000000 t read_pages\n0000000000000000 d mem_cgroup_stats_index\n");
	fclose(t.kallsyms);
	at[MW_SYMBOL_READ_PAGES] = 7;
	mw_kernel_symbols(t.root, 1U << MW_SYMBOL_STATS_INDEX, at);
	assert_int_equal(at[MW_SYMBOL_READ_PAGES], 7);
	assert_int_equal(at[MW_SYMBOL_STATS_INDEX], 0); /* kptr_restrict */
	tree_end(&t);
	mw_kernel_symbols(t.root, ALL, at); /* no such file */
	assert_int_equal(at[MW_SYMBOL_STATS_INDEX], 0);
}

static void test_a_line_without_end(void **state)
{
	__u64 at[MW_SYMBOL_MAX] = {};
	struct tree t;

	(void)state;
	tree_begin(&t);
	for (int i = 0; i < 300000; i++)
		fputc('x', t.kallsyms);
	fprintf(t.kallsyms, "\nffffffff815a0210 t read_pages\n");
	fclose(t.kallsyms);
	mw_kernel_symbols(t.root, ALL, at);
	assert_int_equal(at[MW_SYMBOL_READ_PAGES], 0xffffffff815a0210);
	tree_end(&t);
}

static void test_types(void **state)
{
	struct btf *btf = btf__new_empty();
	struct mw_btf_names *names;
	const struct btf_type *type;
	__u32 id = 0;
	int word, function;
	char name[32];

	(void)state;
	assert_non_null(btf);
	word = btf__add_int(btf, "word", 4, 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "type_%d", i);
		assert_true(btf__add_typedef(btf, name, word) > 0);
	}
	function = btf__add_func(btf, "type_7", BTF_FUNC_STATIC, btf__add_func_proto(btf, word));
	names = mw_btf_names_new(btf);
	assert_non_null(names);
	assert_non_null(mw_btf_names_find(names, "type_2999", BTF_KIND_TYPEDEF, NULL));
	type = mw_btf_names_find(names, "type_7", BTF_KIND_FUNC, &id); /* one name, two kinds */
	assert_true(type && btf_is_func(type));
	assert_int_equal(id, function);
	assert_null(mw_btf_names_find(names, "type_8", BTF_KIND_FUNC, &id));
	assert_null(mw_btf_names_find(names, "word", BTF_KIND_INT, NULL)); /* a kind that is not kept */
	assert_null(mw_btf_names_find(names, "", BTF_KIND_TYPEDEF, NULL));
	assert_int_equal(id, function);
	mw_btf_names_free(names);
	btf__free(btf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_only_what_is_wanted),
		cmocka_unit_test(test_a_line_without_end),
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
