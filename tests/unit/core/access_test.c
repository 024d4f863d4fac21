/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "core/access.h"

static void callers(void **state)
{
	(void)state;
	assert_int_equal(mw_access_caller(0, false, 0), MW_CALLER_ROOT);
	assert_int_equal(mw_access_caller(0, true, 1000), MW_CALLER_ROOT);
	assert_int_equal(mw_access_caller(1000, true, 1000), MW_CALLER_OWNER);
	assert_int_equal(mw_access_caller(1000, true, 1001), MW_CALLER_OTHER);
	assert_int_equal(mw_access_caller(1000, true, 0), MW_CALLER_OTHER);
	assert_int_equal(mw_access_caller(1000, false, 1000), MW_CALLER_NOBODY);
	/* Who has no name here cannot own anything, whatever groups it says it is in. */
	assert_int_equal(mw_access_caller(MW_UID_OVERFLOW, true, MW_UID_OVERFLOW), MW_CALLER_NOBODY);
	assert_int_equal(mw_access_caller((uid_t)-1, true, (uid_t)-1), MW_CALLER_NOBODY);
}

/* The whole table, once more and in another form: a slip in one of the two shows. */
static void table(void **state)
{
	static const char *const expected[MW_RIGHT_MAX] = {
		/* root, owner, another member, nobody, TCP */
		[MW_RIGHT_ROOT] = "y----",   [MW_RIGHT_HEALTH] = "yy--y",    [MW_RIGHT_CONFIG] = "yy--y",
		[MW_RIGHT_LIST] = "yy--y",   [MW_RIGHT_LOOK] = "yy--y",	     [MW_RIGHT_RUN] = "yy---",
		[MW_RIGHT_NEWS] = "yy---",   [MW_RIGHT_TAKE_BACK] = "yy---", [MW_RIGHT_ATTACH] = "y----",
		[MW_RIGHT_DETACH] = "y----", [MW_RIGHT_ACT] = "yy---",	     [MW_RIGHT_TIGHTEN] = "yy---",
		[MW_RIGHT_SET] = "y----",    [MW_RIGHT_RELOAD] = "y----",
	};

	(void)state;
	for (int right = 0; right < MW_RIGHT_MAX; right++) {
		for (int caller = 0; caller < MW_CALLER_MAX; caller++)
			assert_int_equal(mw_access_allowed(right, caller), expected[right][caller] == 'y');
		assert_false(mw_access_allowed(right, MW_CALLER_MAX));
	}
	assert_false(mw_access_allowed(MW_RIGHT_MAX, MW_CALLER_ROOT));
}

static void sentences(void **state)
{
	struct mw_access_words words = {.group = "platform", .worker = "web-7", .what = "kill", .uid = 1000};
	struct mw_error err = {""};

	(void)state;
	assert_int_equal(mw_access_check(MW_RIGHT_ACT, MW_CALLER_OWNER, &words, &err), 0);
	assert_int_equal(mw_access_check(MW_RIGHT_ACT, MW_CALLER_OTHER, &words, &err), -EPERM);
	assert_string_equal(err.text, "kill: worker web-7 is another user's: only root and its owner may");
	assert_int_equal(mw_access_check(MW_RIGHT_ACT, MW_CALLER_NOBODY, &words, &err), -EPERM);
	assert_string_equal(err.text,
			    "uid 1000 is not in group platform: only root and its members may talk to memweir");
	words.what = "reload";
	words.worker = NULL;
	assert_int_equal(mw_access_check(MW_RIGHT_RELOAD, MW_CALLER_OWNER, &words, &err), -EPERM);
	assert_non_null(strstr(err.text, "reload: only root may; members of platform "));
	/* What nobody but root may is not explained by whose worker it is. */
	assert_int_equal(mw_access_check(MW_RIGHT_DETACH, MW_CALLER_OTHER, &words, &err), -EPERM);
	assert_non_null(strstr(err.text, "only root may"));
	assert_int_equal(mw_access_check(MW_RIGHT_LIST, MW_CALLER_TCP, &words, &err), 0);
	assert_int_equal(mw_access_check(MW_RIGHT_RELOAD, MW_CALLER_TCP, &words, &err), -EPERM);
	assert_string_equal(err.text, "reload: over TCP there is only reading: use the unix socket");
	words.what = NULL;
	assert_int_equal(mw_access_check((enum mw_right)0, MW_CALLER_OWNER, &words, &err), -EPERM); /* a row left out */
	assert_non_null(strstr(err.text, "this: only root may"));
	words.group = "";
	assert_int_equal(mw_access_check(MW_RIGHT_HEALTH, MW_CALLER_NOBODY, &words, &err), -EPERM);
	assert_non_null(strstr(err.text, "no group is configured ([tree] group in memweir.conf)"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers),
		cmocka_unit_test(table),
		cmocka_unit_test(sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
