/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a runtime is said to have answered: read when it is right, and refused with a reason when it is not. */
#include "../unit.h"

#include <fcntl.h>
#include <linux/types.h>
#include <sys/mman.h>
#include <unistd.h>

#include "leak/lines.h"

#define HEAD(pid) "{\"version\":1,\"pid\":" pid ",\"runtime\":\"python\",\"took_ms\":3,\"total_bytes\":1000,\"lines\":["
#define LINE	  "{\"function\":\"f\",\"file\":\"/a/app.py\",\"line\":41,\"bytes\":900,\"objects\":7,\"grown_bytes\":-5}"

static struct mw_lines l;
static struct mw_error said;

static int parse(const char *text)
{
	memset(&l, 0, sizeof(l));
	said.text[0] = '\0';
	return mw_lines_parse(text, strlen(text), 7, &l, &said);
}

static void right(void **state)
{
	(void)state;
	assert_int_equal(parse(HEAD("7") LINE "," LINE "]}\nrest of an older, longer one"), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.runtime, "python");
	assert_true(l.total_bytes == 1000 && l.took_ms == 3);
	assert_string_equal(l.at[1].function, "f");
	assert_string_equal(l.at[1].file, "/a/app.py");
	assert_true(l.at[1].line == 41 && l.at[1].bytes == 900 && l.at[1].objects == 7 && l.at[1].grown_bytes == -5);
	assert_int_equal(parse(HEAD("7") "]}\n"), 0);
	assert_int_equal(l.n, 0);
}

static void none(void **state)
{
	(void)state;
	assert_int_equal(parse(""), -ENODATA);
	assert_int_equal(parse(HEAD("7") LINE), -ENODATA); /* no end */
	assert_int_equal(parse("\n" HEAD("7") LINE "]}\n"), -ENODATA); /* being written */
	assert_int_equal(parse(HEAD("8") LINE "]}\n"), -ENODATA); /* a parent's */
	assert_non_null(strstr(said.text, "process 8"));
}

static void wrong(void **state)
{
	static const char *const texts[] = {
		"x\n",
		"[]\n",
		"{}\n",
		"{\"version\":2}\n",
		"{\"version\":1,\"pid\":7}\n",
		HEAD("7") "1]}\n",
		HEAD("7") "{}]}\n",
		HEAD("7") "{\"file\":\"\",\"line\":1,\"bytes\":1,\"objects\":1,\"grown_bytes\":1}]}\n",
		HEAD("7") "{\"file\":\"a\",\"line\":-1,\"bytes\":1,\"objects\":1,\"grown_bytes\":1}]}\n",
		HEAD("7") "{\"file\":\"a\",\"line\":1,\"bytes\":1,\"objects\":1,\"grown_bytes\":2}]}\n",
		HEAD("7") "{\"file\":\"a\",\"line\":1,\"bytes\":18446744073709551615,\"objects\":1,\"grown_bytes\":1}]}"
			  "\n",
		HEAD("7") "{\"file\":\"a\",\"line\":1,\"bytes\":\"1\",\"objects\":1,\"grown_bytes\":1}]}\n",
		HEAD("7") LINE "," LINE "," LINE "," LINE "," LINE "," LINE "," LINE "," LINE "," LINE "," LINE "," LINE
			       "]}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int r = parse(texts[i]);

		if (r != -EBADMSG && !(i == 2 && r == -EBADMSG))
			fail_msg("%s: %d", texts[i], r);
		if (!*said.text)
			fail_msg("%s: without a word", texts[i]);
	}
}

/* Texts are shown: no control character comes through, and what is too long is cut. */
static void odd_texts(void **state)
{
	static char text[4096];
	char name[1024];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text),
		 HEAD("7") "{\"function\":\"%s\",\"file\":\"a\\u001b[2Jb\",\"line\":1,\"bytes\":1,\"objects\":0,"
			   "\"grown_bytes\":0}]}\n",
		 name);
	assert_int_equal(parse(text), 0);
	assert_null(strchr(l.at[0].file, '\033'));
	assert_true(strlen(l.at[0].function) < sizeof(l.at[0].function));
}

static int file(const char *text)
{
	int fd = memfd_create(MW_LINES_FILE, MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* Found among what a process has open, by its name; of a file of another name nothing is read. */
static void of_a_process(void **state)
{
	char text[512], path[] = "/tmp/" MW_LINES_FILE "-XXXXXX";
	int other, fd;

	(void)state;
	other = mkstemp(path);
	assert_true(other >= 0);
	unlink(path);
	snprintf(text, sizeof(text), "%s", HEAD("1") LINE "]}\n");
	assert_int_equal(write(other, text, strlen(text)), strlen(text));
	assert_int_equal(mw_lines_read("/proc", getpid(), &l, &said), -ENODATA);
	snprintf(text, sizeof(text),
		 "{\"version\":1,\"pid\":%d,\"runtime\":\"x\",\"took_ms\":0,\"total_bytes\":0,\"lines\":[" LINE "]}\n",
		 getpid());
	fd = file(text);
	assert_int_equal(mw_lines_read("/proc", getpid(), &l, &said), 0);
	assert_true(l.pid == getpid() && l.n == 1);
	close(fd);
	close(other);
	assert_int_equal(mw_lines_read("/proc", 0x7ffffff0, &l, &said), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right),     cmocka_unit_test(none),	     cmocka_unit_test(wrong),
		cmocka_unit_test(odd_texts), cmocka_unit_test(of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
