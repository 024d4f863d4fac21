/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "util/options.h"

struct values {
	bool json, hidden;
	const char *name, *maybe;
	long limit;
};

#define AT(field) offsetof(struct values, field)
static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, AT(json), NULL, "as JSON"},
	{"name", 'n', MW_OPT_TEXT, AT(name), "NAME", "a name"},
	{"limit", 0, MW_OPT_NUMBER, AT(limit), "N", "how many", 1, 100},
	{"maybe", 0, MW_OPT_MAYBE, AT(maybe), "WHAT", "with or without"},
	{"hidden", 0, MW_OPT_FLAG, AT(hidden), NULL, NULL},
	{NULL},
};

static struct values v;
static struct mw_error err;
static int first;

static int parse_words(bool stop_early, char **words)
{
	const struct mw_option_set sets[] = {{rows, &v}};
	char *argv[16] = {(char *)"verb"};
	int argc = 1;

	v = (struct values){0};
	err.text[0] = '\0';
	first = -1;
	while (words[argc - 1]) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	return mw_options_parse(sets, 1, argc, argv, stop_early, &first, &err);
}
#define parse(stop_early, ...) parse_words(stop_early, (char *[]){__VA_ARGS__, NULL})

static void values_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse(false, "a", "-j", "b", "--name=x", "--limit", "7", "c"), 0);
	assert_true(v.json);
	assert_string_equal(v.name, "x");
	assert_int_equal(v.limit, 7);
	assert_int_equal(first, 5); /* words are moved behind the options */
	assert_int_equal(parse(false, "-n", "a", "-n", "b"), 0);
	assert_string_equal(v.name, "b");
	assert_int_equal(parse(false, "--", "--json"), 0);
	assert_false(v.json);
	assert_int_equal(first, 2);
	assert_int_equal(parse(true, "-j", "cmd", "--json", "--bad"), 0);
	assert_int_equal(first, 2);
	assert_int_equal(parse(false, "--hidden"), 0);
	assert_true(v.hidden);
	assert_null(v.maybe);
	assert_int_equal(parse(true, "--maybe", "cmd"), 0); /* the next word is not its value */
	assert_string_equal(v.maybe, "");
	assert_int_equal(first, 2);
	assert_int_equal(parse(false, "--maybe=x"), 0);
	assert_string_equal(v.maybe, "x");
	assert_int_equal(parse(false, "x", "--help"), 1);
	assert_int_equal(parse(false, "-h"), 1);
}

static void wrong_ones_are_named(void **state)
{
	(void)state;
	assert_int_equal(parse(false, "--jsno"), -EINVAL);
	assert_string_equal(err.text, "unknown option --jsno: did you mean --json?");
	assert_int_equal(parse(false, "--completely-different"), -EINVAL);
	assert_string_equal(err.text, "unknown option --completely-different");
	assert_int_equal(parse(false, "-x"), -EINVAL);
	assert_string_equal(err.text, "unknown option -x");
	assert_int_equal(parse(false, "--json=1"), -EINVAL);
	assert_string_equal(err.text, "--json takes no value");
	assert_int_equal(parse(false, "--name"), -EINVAL);
	assert_string_equal(err.text, "--name wants a value: NAME");
	assert_int_equal(parse(false, "--name="), -EINVAL);
	assert_int_equal(parse(false, "--maybe="), -EINVAL);
	assert_string_equal(err.text, "--maybe= is empty, expected WHAT");
	assert_int_equal(parse(false, "-n"), -EINVAL);
	assert_int_equal(parse(false, "--limit", "0"), -EINVAL);
	assert_string_equal(err.text, "--limit \"0\": expected a number from 1 to 100");
	assert_int_equal(parse(false, "--limit", "101"), -EINVAL);
	assert_int_equal(parse(false, "--limit", "7x"), -EINVAL);
	assert_int_equal(parse(false, "--limit", "99999999999999999999"), -EINVAL);
	assert_int_equal(first, -1); /* untouched on failure */
}

static void help_comes_from_the_rows(void **state)
{
	char buf[1024] = "";
	FILE *out = fmemopen(buf, sizeof(buf), "w");

	(void)state;
	mw_options_help(rows, out);
	mw_options_help(NULL, out);
	fclose(out);
	assert_string_equal(buf, "  -j, --json                   as JSON\n"
				 "  -n, --name NAME              a name\n"
				 "      --limit N                how many\n"
				 "      --maybe[=WHAT]           with or without\n");
}

static void nearest_word(void **state)
{
	static const char *const list[] = {"ps", "check", "report", "hibernate", "reload", NULL};

	(void)state;
	assert_string_equal(mw_nearest("pss", list), "ps");
	assert_string_equal(mw_nearest("chekc", list), "check");
	assert_string_equal(mw_nearest("hib", list), "hibernate");
	assert_string_equal(mw_nearest("reprot", list), "report");
	assert_null(mw_nearest("", list));
	assert_null(mw_nearest("xyzzy", list));
	assert_null(mw_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(wrong_ones_are_named),
		cmocka_unit_test(help_comes_from_the_rows),
		cmocka_unit_test(nearest_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
