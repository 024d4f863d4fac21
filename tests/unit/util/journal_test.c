/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Whose output goes to the journal. */
#include "../unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "util/journal.h"

static void test_journal(void **state)
{
	struct stat st;
	char text[64];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fstat(fds[1], &st), 0);
	unsetenv("JOURNAL_STREAM");
	assert_false(mw_journal_on(fds[1]));
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	assert_true(mw_journal_on(fds[1]));
	assert_false(mw_journal_on(-1));
	/* inherited by somebody whose output was sent elsewhere */
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino + 1);
	setenv("JOURNAL_STREAM", text, 1);
	assert_false(mw_journal_on(fds[1]));
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(mw_journal_on(fds[1]));
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_journal)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
