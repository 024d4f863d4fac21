/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Each kind has its entry in the catalog and its row in the manual, and each of theirs its kind; the code tells no
 * other. */
#include "../unit.h"

#include <dirent.h>

#include "daemon/guard.h"
#include "leak/trend.h"
#include "report/json.h"
#include "report/kinds.h"
#include "util/cleanup.h"

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text;
	size_t n;

	assert_non_null(f);
	text = calloc(1, 1 << 20);
	n = fread(text, 1, (1 << 20) - 1, f);
	assert_true(n > 0);
	fclose(f);
	return text;
}

static void test_ids(void **state)
{
	const struct mw_told_kind *k, *other;

	(void)state;
	for (size_t i = 0; (k = mw_told_at(i)); i++) {
		assert_ptr_equal(mw_told_find(k->name), k);
		assert_true(!k->message_id == !(k->flags & MW_TOLD_LOG));
		assert_true(!k->message_id ||
			    (strlen(k->message_id) == 32 && strspn(k->message_id, "0123456789abcdef") == 32));
		for (size_t j = 0; k->message_id && j < i; j++) {
			other = mw_told_at(j);
			assert_true(!other->message_id || strcmp(other->message_id, k->message_id) != 0);
		}
	}
	assert_string_equal(mw_told_of("no such kind")->name, "daemon");
	assert_null(mw_told_find("no such kind"));
	/* For ever: one of them, as it was first given out. */
	assert_string_equal(mw_told_find("died")->message_id, "cf2492672ffa41d5a0e783917ed9eda7");
}

static void test_catalog(void **state)
{
	_cleanup_free_ char *catalog = slurp("scripts/deploy/memweir.catalog");
	size_t entries = 0, kinds = 0;
	const struct mw_told_kind *k;
	char want[256];

	(void)state;
	for (size_t i = 0; (k = mw_told_at(i)); i++) {
		if (!k->message_id)
			continue;
		kinds++;
		snprintf(want, sizeof(want), "\n-- %s\nSubject: %s\nDefined-By: memweir\n", k->message_id, k->subject);
		if (!strstr(catalog, want))
			fail_msg("%s: no entry in the catalog%s", k->name, want);
	}
	for (const char *at = catalog; (at = strstr(at, "\n-- ")); at++)
		entries++;
	assert_int_equal(entries, kinds);
}

static void test_manual(void **state)
{
	_cleanup_free_ char *page = slurp("user/cli/man/memweir-journal.7");
	size_t rows = 0, kinds = 0;
	const struct mw_told_kind *k;
	char want[256];

	(void)state;
	for (size_t i = 0; (k = mw_told_at(i)); i++) {
		if (!k->message_id)
			continue;
		kinds++;
		snprintf(want, sizeof(want), "\n.It Cm %s ", k->name);
		if (!strstr(page, want) || !strstr(page, k->message_id))
			fail_msg("%s: no row in memweir-journal.7 with %s", k->name, k->message_id);
	}
	for (const char *at = page; (at = strstr(at, "\n.It Cm ")); at++)
		rows++;
	assert_int_equal(rows, kinds);
}

static int priority_named(const char *name)
{
	static const char *const names[] = {"EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"};

	for (int i = 0; i < (int)ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

/* The literal behind the priority of each mw_tell… is a row, and a literal priority is the row's. */
static unsigned check_file(const char *path)
{
	_cleanup_free_ char *text = slurp(path);
	unsigned found = 0;

	for (const char *at = text; (at = strstr(at, "mw_tell")); at++) {
		char kind[64], level[16];

		if (sscanf(at, "mw_tell(%*[^,], %*[^,], \"%63[a-z-]\"", kind) != 1 &&
		    sscanf(at, "mw_tell_fact(%*[^,], %*[^,], \"%63[a-z-]\"", kind) != 1 &&
		    sscanf(at, "mw_tell_log(%*[^,], %*[^,], \"%63[a-z-]\"", kind) != 1)
			continue;
		found++;
		if (!mw_told_find(kind))
			fail_msg("%s: tells \"%s\", which is no row of report/kinds.c", path, kind);
		if (sscanf(at, "%*[a-z_](%*[^,], LOG_%15[A-Z]", level) == 1)
			assert_int_equal(mw_told_find(kind)->priority, priority_named(level));
	}
	return found;
}

static void test_code(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir("user/daemon");
	struct dirent *e;
	char path[300];
	unsigned found = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (!strstr(e->d_name, ".c"))
			continue;
		snprintf(path, sizeof(path), "user/daemon/%s", e->d_name);
		found += check_file(path);
	}
	assert_true(found > 30);
	/* Names that are not literals. */
	for (int i = 0; i < MW_ACT_MAX; i++)
		assert_non_null(mw_told_find(mw_act_name(i)));
	for (int i = 0; i < MW_TREND_MAX; i++)
		assert_non_null(mw_told_find(mw_trend_name(i)));
	for (int i = MW_EVENT_NONE + 1; i < MW_EVENT_MAX; i++)
		assert_non_null(mw_told_find(mw_event_name(i)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_catalog),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
