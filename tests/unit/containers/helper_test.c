/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Whatever is put in the helper's place: an error in time, no descriptor and no process left. */
#include "host.h"

#include <signal.h>
#include <sys/wait.h>

/* A script in the helper's place. */
static int ask_script(const char *script, __u32 timeout_ms)
{
	struct mw_container_question q = {.name = "web6", .root = tree, .timeout_ms = timeout_ms};
	char path[PATH_MAX], text[4096];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	tree_file("helper", text);
	snprintf(path, sizeof(path), "%s", tree_path("helper"));
	assert_int_equal(chmod(path, 0755), 0);
	q.helper = path;
	said.text[0] = '\0';
	mw_container_free(&found);
	found = (struct mw_container){0};
	return mw_container_ask(&q, &found, &said);
}

static size_t open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void answers_that_are_none(void **state)
{
#define HEAD "{\"found\":["
#define TAIL "],\"left_out\":0,\"unread\":0,\"problem\":\"\",\"looked\":\"\"}"
#define ONE(engine, id, cgroup, pid, labels)                                                                           \
	HEAD "{\"engine\":" engine ",\"id\":" id                                                                       \
	     ",\"name\":\"\",\"image\":\"\",\"pod\":\"\",\"namespace\":\"\",\"cgroup\":" cgroup                        \
	     ",\"unit\":\"\",\"pid\":" pid ",\"pid_start\":6346,\"uid\":0,\"labels\":" labels                          \
	     ",\"labels_left_out\":0}" TAIL
#define GOOD_CGROUP "\"/system.slice/mwt-web6.scope\""
	static const char *const answers[] = {
		"",
		"no JSON",
		"[]",
		"{}",
		HEAD TAIL " {}",
		HEAD "7" TAIL,
		"{\"found\":{},\"left_out\":0,\"unread\":0,\"problem\":\"\",\"looked\":\"\"}",
		"{\"found\":[],\"left_out\":-1,\"unread\":0,\"problem\":\"\",\"looked\":\"\"}",
		"{\"found\":[],\"left_out\":0,\"unread\":0,\"problem\":\"\\n\",\"looked\":\"\"}",
		ONE("7", "\"a\"", GOOD_CGROUP, "997", "[]"),
		ONE("\"runc\"", "\"../a\"", GOOD_CGROUP, "997", "[]"),
		ONE("\"runc\"", "\"\"", GOOD_CGROUP, "997", "[]"),
		ONE("\"runc\"", "\"a\"", "\"/..\"", "997", "[]"),
		ONE("\"runc\"", "\"a\"", "\"/\"", "997", "[]"),
		ONE("\"runc\"", "\"a\"", "\"\"", "997", "[]"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP ",\"bare\":1", "997", "[]"),
		ONE("\"runc\"", "\"a\"", "\"\",\"bare\":2", "997", "[]"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "-7", "[]"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "9999999999", "[]"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "997", "7"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "997", "[{\"kind\":\"x\",\"key\":\"a\",\"value\":\"\"}]"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "997", "[{\"kind\":\"label\",\"key\":\"\",\"value\":\"\"}]"),
		ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "997",
		    "[{\"kind\":\"label\",\"key\":\"a\",\"value\":\"\"},{\"kind\":\"label\",\"key\":\"a\",\"value\":"
		    "\"\"}]"),
		ONE("\"an engine of sixteen\"", "\"a\"", GOOD_CGROUP, "997", "[]"),
	};
	char script[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		snprintf(script, sizeof(script), "cat <<'END'\n%s\nEND", answers[i]);
		if (ask_script(script, 20000) != -EPROTO)
			fail_msg("taken: %s (%s)", answers[i], said.text);
		assert_said("memweir-container: ");
	}
	/* And one that is, so that the others fail for what is wrong in them. */
	snprintf(script, sizeof(script), "cat <<'END'\n%s\nEND",
		 ONE("\"runc\"", "\"a\"", GOOD_CGROUP, "997", "[{\"kind\":\"label\",\"key\":\"k\",\"value\":\"v\"}]"));
	assert_int_equal(ask_script(script, 20000), 0);
	assert_string_equal(found.id, "a");
	assert_string_equal(mw_container_label(&found, MW_LABEL_LABEL, "k"), "v");
}

static void its_own_error(void **state)
{
	(void)state;
	assert_int_equal(ask_script("printf '{\"error\":\"openat2: no\"}'", 20000), -EPROTO);
	assert_said("memweir-container: openat2: no");
	assert_int_equal(ask_script("exit 3", 20000), -EPROTO);
	assert_said("exit status 3");
	assert_int_equal(ask_script("kill -SYS $$", 20000), -EPROTO);
	assert_said("died of signal 31");
}

static void no_end(void **state)
{
	__u64 began = mw_now_ns();

	(void)state;
	/* exec: the process that sleeps is the one that is killed. */
	assert_int_equal(ask_script("exec sleep 1000", 200), -ETIMEDOUT);
	assert_said("no answer within 200 ms");
	assert_int_equal(ask_script("exec >&-; exec sleep 1000", 200), -ETIMEDOUT);
	assert_int_equal(ask_script("printf '{'; exec sleep 1000", 200), -ETIMEDOUT);
	assert_true(mw_now_ns() - began < 60 * MW_NS_PER_S);
	assert_int_equal(ask_script("exec cat /dev/zero", 60000), -EPROTO);
	assert_said("longer than 2097152 bytes");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Somebody it left behind holds the pipe: who answered is enough. */
static void a_pipe_held_open(void **state)
{
	__u64 began = mw_now_ns();

	(void)state;
	assert_int_equal(ask_script("sleep 30 & printf '{\"error\":\"x\"}'", 20000), -EPROTO);
	assert_said("memweir-container: x");
	assert_true(mw_now_ns() - began < 15 * MW_NS_PER_S);
}

static void nothing_leaks(void **state)
{
	size_t before;
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a library might */

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(dup2(fd, 57), 57);
	setenv("MW_SECRET", "x", 1);
	/* What it has: three descriptors, and the one that lists them. */
	assert_int_equal(
		ask_script(
			"for f in 3 9 57; do [ -e /proc/self/fd/$f ] && exit 4; done; [ -z \"$MW_SECRET\" ] || exit 5\n"
			"printf '{\"error\":\"clean\"}'",
			20000),
		-EPROTO);
	assert_said("clean");
	close(57);
	close(fd);
	before = open_files();
	for (int i = 0; i < 5; i++) {
		assert_found("web6");
		assert_int_equal(ask_script("exit 1", 20000), -EPROTO);
		assert_int_equal(ask_script("exec sleep 1000", 50), -ETIMEDOUT);
	}
	assert_int_equal(open_files(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Inherited from whoever started the command line. */
static void a_caller_that_ignores_its_children(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 20; i++)
		assert_found("web6");
	assert_int_equal(ask_script("exit 1", 20000), -EPROTO);
	assert_int_equal(ask_script("exec sleep 1000", 50), -ETIMEDOUT);
	signal(SIGCHLD, SIG_DFL);
}

static void not_there(void **state)
{
	struct mw_container_question q = {.name = "web6", .root = tree, .helper = "/nowhere/memweir-container"};
	size_t before = open_files();

	(void)state;
	assert_int_equal(mw_container_ask(&q, &found, &said), -ENOEXEC);
	assert_said("/nowhere/memweir-container cannot be started: No such file or directory");
	q.helper = host_helper();
	q.root = "/nowhere";
	assert_int_equal(mw_container_ask(&q, &found, &said), -EPROTO);
	assert_said("memweir-container: /nowhere: No such file or directory");
	assert_int_equal(open_files(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(answers_that_are_none),
		host_test(its_own_error),
		host_test(no_end),
		host_test(a_pipe_held_open),
		host_test(nothing_leaks),
		host_test(a_caller_that_ignores_its_children),
		host_test(not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
