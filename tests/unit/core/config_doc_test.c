/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The table of keys is sound in itself, and the man page and the example say what it says. Run from the source tree. */
#include "../unit.h"

#include "core/config_impl.h"
#include "util/cleanup.h"

static const enum mw_section_kind kinds[] = {MW_SECTION_MONITOR, MW_SECTION_TREE, MW_SECTION_HTTP, MW_SECTION_CLASS,
					     MW_SECTION_RULE};

union any {
	struct mw_monitor monitor;
	struct mw_tree tree;
	struct mw_http http;
	struct mw_profile profile;
	struct mw_rule rule;
};

static void test_table(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t n;
		const struct mw_key *keys = mw_keys(kinds[k], &n);

		assert_true(n <= 32); /* config_parse.c has a bit for each */
		for (size_t i = 0; i < n; i++) {
			union any scratch = {{0}};
			char printed[512], expected[200];

			assert_int_equal(mw_key_parse(&keys[i], keys[i].def, &scratch), 0);
			assert_string_equal(mw_key_print(&keys[i], &scratch, printed, sizeof(printed)), keys[i].def);
			assert_true(strlen(mw_key_expected(&keys[i], expected, sizeof(expected))) > 5);
			assert_true(strlen(keys[i].doc) > 5);
			assert_true(strlen(keys[i].name) < sizeof(((struct mw_setting *)NULL)->key));
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(keys[i].name, keys[j].name);
		}
	}
}

static void round_trip(const char *key_name, const char *value, const char *doc, void *arg)
{
	const struct mw_profile *p = arg;
	const struct mw_key *key = mw_key_find(MW_SECTION_CLASS, key_name);
	struct mw_profile back = *p;

	assert_non_null(key);
	assert_string_equal(doc, key->doc);
	assert_int_equal(mw_key_parse(key, value, &back), 0);
	assert_memory_equal((char *)&back + key->offset, (const char *)p + key->offset, key->size);
}

/* What a row prints reads back as the same. */
static void test_rows_round_trip(void **state)
{
	struct mw_profile p;

	(void)state;
	memset(&p, 0, sizeof(p));
	p.max_heap = 123456789;
	p.max_bin_heap = MW_UNLIMITED;
	p.hibernate_threshold = 0.123456789;
	p.swap_max = 0;
	p.low = MW_AUTO;
	p.thp = MW_THP_ON;
	p.policy = MW_POLICY_STRICT;
	p.pause_budget_ns = 12345678;
	p.share = true;
	p.heap_sample = 65536;
	p.runtime_profile = true;
	p.budget = 1ULL << 40;
	mw_config_rows_profile(&p, round_trip, &p);
}

/* "\n.It Cm KEY No = ... (default: VALUE)" up to the next item, in the part of the page behind ".Sh [SECTION". */
static void check_page(const char *page, const char *section, const struct mw_key *key)
{
	char heading[64], item[64];
	const char *at, *end, *def;

	snprintf(heading, sizeof(heading), "\n.Sh [%s", section);
	at = strstr(page, heading);
	assert_non_null(at);
	snprintf(item, sizeof(item), "\n.It Cm %s No =", key->name);
	at = strstr(at + 1, item);
	if (!at)
		fail_msg("memweir.conf(5) has no %s", key->name);
	end = strchr(at + 1, '\n');
	def = strstr(at, key->def);
	if (!def || def > end)
		fail_msg("memweir.conf(5) does not say that %s is %s by default", key->name, key->def);
	if ((key->flags & MW_KEY_RESTART) && !strstr(at, "Needs a restart"))
		fail_msg("memweir.conf(5) does not say that %s needs a restart", key->name);
}

static void test_man_page(void **state)
{
	_cleanup_free_ char *page = NULL;
	struct mw_error err = {""};
	size_t len, n;

	(void)state;
	assert_int_equal(mw_config_read("user/cli/man/memweir.conf.5", &page, &len, &err), 0);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct mw_key *keys = mw_keys(kinds[k], &n);

		for (size_t i = 0; i < n; i++)
			check_page(page, mw_section_kind_name(kinds[k]), &keys[i]);
	}
}

/* The example with every setting uncommented is a good configuration; "#key = value" has no blank behind #. */
static void test_example(void **state)
{
	_cleanup_(mw_config_free) struct mw_config cfg = {0};
	_cleanup_free_ char *text = NULL;
	struct mw_error err = {""};
	size_t len, out = 0;

	(void)state;
	assert_int_equal(mw_config_defaults(&cfg), 0);
	assert_int_equal(mw_config_read("scripts/deploy/memweir.conf", &text, &len, &err), 0);
	assert_int_equal(mw_config_parse(text, len, "example", mw_config_apply, &cfg, &err), 0);
	for (size_t i = 0; i < len; i++)
		if (text[i] != '#' || text[i + 1] == ' ')
			text[out++] = text[i];
	if (mw_config_parse(text, out, "example", mw_config_apply, &cfg, &err) || mw_config_check(&cfg, &err))
		fail_msg("%s", err.text);
	assert_non_null(mw_config_class(&cfg, "node-mcp"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rows_round_trip),
		cmocka_unit_test(test_man_page),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
