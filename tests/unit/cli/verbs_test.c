/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Usage, help, and the verbs that change something: what they ask and what they print. */
#include "fake.h"

#define TEXT(s) "{\"schema\":1,\"text\":\"" s "\"}"

static const struct fake_reply table[] = {
	{"POST", "/v1/workers", 201,
	 "{\"name\":\"w1\",\"class\":\"tool\",\"cgroup\":\"/memweir/tool/w1\",\"cgroup_path\":\"/x\"}"},
	{"DELETE", "/v1/workers/w1", 200, TEXT("worker w1 is no longer guarded")},
	{"DELETE", "/v1/workers/..%2F..%2Fetc%20x", 404, "{\"error\":\"no worker of this name\"}"},
	{"POST", "/v1/workers/w1/hibernate", 200, TEXT("31.2 MB saved (34.1 %), 60.2 MB left")},
	{"POST", "/v1/workers/w1/freeze", 200, TEXT("frozen")},
	{"POST", "/v1/workers/w1/thaw", 200, TEXT("thawed\\u001b[31m")},
	{"POST", "/v1/workers/w1/kill", 409, "{\"error\":\"an action is under way on w1\"}"},
	{"POST", "/v1/workers/w2/kill", 403, "{\"error\":\"kill: worker w2 is another user's\"}"},
	{"POST", "/v1/workers/w2/thaw", 403, "{\"error\":\"thaw:it\"}"},
	{"PATCH", "/v1/config", 200, TEXT("class tool: 2 settings changed")},
	{"POST", "/v1/reload", 500,
	 "{\"error\":\"/etc/x.conf:3: [class tool] max_heap: found \\\"x\\\", expected a size\"}"},
	{NULL},
};

static void usage(void **state)
{
	struct fake f;

	(void)state;
	fake_dir(&f);
	assert_int_equal(memweir(&f, "pss"), 2);
	assert_err("memweir: unknown verb pss: did you mean ps?");
	assert_int_equal(memweir(&f, "frobnicate"), 2);
	assert_int_equal(memweir_words(&f, (const char *const[]){NULL}), 2);
	assert_int_equal(memweir(&f, "ps", "--jsn"), 2);
	assert_err("memweir ps: unknown option --jsn: did you mean --json?");
	assert_int_equal(memweir(&f, "ps", "-x"), 2);
	assert_int_equal(memweir(&f, "ps", "--json=1"), 2);
	assert_int_equal(memweir(&f, "kill"), 2);
	assert_int_equal(memweir(&f, "kill", "a", "b"), 2);
	assert_int_equal(memweir(&f, "report"), 2);
	assert_int_equal(memweir(&f, "report", "leaks", "--limit", "0"), 2);
	assert_int_equal(memweir(&f, "run", "true"), 125);
	assert_err("memweir run: --class is missing");
	assert_int_equal(memweir(&f, "run", "--nmae", "x", "true"), 125);
	assert_err("did you mean --name?");
	assert_int_equal(memweir(&f, "attach", "--class", "tool"), 2);
	assert_int_equal(memweir(&f, "attach", "--class", "tool", "--pid", "1", "--cgroup", "/x"), 2);
	assert_int_equal(memweir(&f, "attach", "--class", "tool", "--cgroup", "/x", "--move"), 2);
	assert_int_equal(memweir(&f, "attach", "--class", "tool", "--container", "web", "--unit", "web"), 2);
	assert_err("expected one of --pid, --cgroup, --unit and --container");
	assert_int_equal(memweir(&f, "attach", "--class", "tool", "--unit", "web.service", "--move"), 2);
	assert_err("--move goes with --pid only");
	assert_int_equal(memweir(&f, "set", "klass", "tool", "a=b"), 2);
	assert_err("did you mean class?");
	assert_int_equal(memweir(&f, "set", "class", "a=b"), 2);
	assert_int_equal(memweir(&f, "set", "class", "tool"), 2);
	assert_int_equal(memweir(&f, "set", "monitor", "=5"), 2);
	assert_int_equal(memweir(&f, "set", "monitor", "x"), 2);
	fake_stop(&f);
}

static void help(void **state)
{
	static const char *const verbs[] = {"daemon", "run",	   "attach", "detach", "ps",	    "check",   "report",
					    "events", "hibernate", "freeze", "thaw",   "kill",	    "classes", "set",
					    "reload", "doctor",	   "record", "replay", "calibrate", "plan",    "spec"};
	struct fake f;

	(void)state;
	fake_dir(&f);
	assert_int_equal(memweir(&f, "--help"), 0);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		assert_out(verbs[i]);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		assert_int_equal(memweir(&f, "help", verbs[i]), 0);
		assert_out("usage: memweir ");
		assert_out(verbs[i]);
		assert_int_equal(memweir(&f, verbs[i], "--help"), 0);
		assert_out("usage: memweir ");
	}
	assert_int_equal(memweir(&f, "help", "rnu"), 2);
	assert_int_equal(memweir(&f, "--version"), 0);
	assert_int_equal(strncmp(last.out, "memweir ", 8), 0);
	fake_stop(&f);
}

static void no_daemon(void **state)
{
	static const char *const verbs[] = {"ps", "check", "events", "classes", "reload"};
	struct fake f;

	(void)state;
	fake_dir(&f);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		assert_int_equal(memweir(&f, verbs[i]), 1);
		assert_err("no daemon on ");
		assert_err(f.socket);
		assert_string_equal(last.out, "");
	}
	assert_int_equal(memweir(&f, "events", "--follow"), 1);
	assert_err("no daemon on ");
	assert_int_equal(memweir(&f, "kill", "x"), 1);
	assert_int_equal(memweir(&f, "ps", "--socket", "/nonexistent/s"), 1);
	assert_err("/nonexistent/s");
	assert_int_equal(memweir(&f, "--socket", "/nonexistent/t", "ps"), 1);
	assert_err("/nonexistent/t");
	fake_stop(&f);
}

static void changes(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, table);
	assert_int_equal(memweir(&f, "attach", "-c", "tool", "--pid", "123", "--move", "--name", "w1"), 0);
	assert_out("w1 (tool) is under guard in /memweir/tool/w1\n");
	assert_true(fake_was_asked(&f, "{\"attach\":{\"pid\":123,\"move\":true},\"class\":\"tool\",\"name\":\"w1\"}"));
	assert_int_equal(memweir(&f, "attach", "-c", "tool", "--cgroup", "/a/b"), 0);
	assert_true(fake_was_asked(&f, "{\"attach\":{\"cgroup\":\"\\/a\\/b\"},\"class\":\"tool\",\"name\":null}"));
	assert_int_equal(memweir(&f, "detach", "w1"), 0);
	assert_string_equal(last.out, "worker w1 is no longer guarded\n");
	assert_int_equal(memweir(&f, "detach", "../../etc x"), 1);
	assert_string_equal(last.err, "memweir detach: no worker of this name\n");
	assert_int_equal(memweir(&f, "hibernate", "w1", "--dry-run"), 0);
	assert_string_equal(last.out, "31.2 MB saved (34.1 %), 60.2 MB left\n");
	assert_true(fake_was_asked(&f, "/v1/workers/w1/hibernate HTTP/1.1 {\"dry_run\":true}"));
	assert_int_equal(memweir(&f, "freeze", "w1", "--json"), 0);
	assert_string_equal(last.out, TEXT("frozen") "\n");
	assert_int_equal(memweir(&f, "thaw", "w1"), 0);
	assert_string_equal(last.out, "thawed?[31m\n");
	assert_int_equal(memweir(&f, "kill", "w1"), 1);
	assert_string_equal(last.err, "memweir kill: an action is under way on w1\n");
	assert_int_equal(memweir(&f, "kill", "w2"), 1);
	assert_string_equal(last.err, "memweir kill: worker w2 is another user's\n"); /* the verb once */
	assert_int_equal(memweir(&f, "thaw", "w2"), 1);
	assert_string_equal(last.err, "memweir thaw: thaw:it\n");
	assert_int_equal(memweir(&f, "set", "class", "tool", "max_heap=60MB", "policy=strict", "--save"), 0);
	assert_true(fake_was_asked(&f, "{\"target\":\"class tool\",\"settings\":{\"max_heap\":\"60MB\",\"policy\":"
				       "\"strict\"},\"save\":true}"));
	assert_int_equal(memweir(&f, "set", "monitor", "check_interval=1s"), 0);
	assert_true(
		fake_was_asked(&f, "{\"target\":\"monitor\",\"settings\":{\"check_interval\":\"1s\"},\"save\":false}"));
	assert_int_equal(memweir(&f, "reload"), 1);
	assert_err("memweir reload: /etc/x.conf:3: [class tool] max_heap: found \"x\", expected a size\n");
	fake_stop(&f);
}

static void wrong_answers(void **state)
{
	static const struct {
		struct fake_reply reply;
		const char *say;
	} cases[] = {
		{{"GET", "/v1/workers", 200, "this is no JSON"}, "no JSON object"},
		{{"GET", "/v1/workers", 200, "[1,2]"}, "no JSON object"},
		{{"GET", "/v1/workers", 500, "oops"}, "the daemon answered 500"},
		{{"GET", "/v1/workers", 500, ""}, "the daemon answered 500"},
		{{"GET", "/v1/workers", 404, "{\"error\":7}"}, "the daemon answered 404"},
		{{"GET", "/v1/workers", 200, "{\"workers\":[]}", FAKE_CUT}, "memweir ps: "},
		{{"GET", "/v1/workers", 200, "", FAKE_GARBAGE}, "memweir ps: "},
		{{"GET", "/v1/workers", 200, "", FAKE_CLOSE}, "memweir ps: "},
		{{"GET", "/v1/workers", 403, "{\"error\":\"only \\u001b]0;root\\u0007\\nmay\"}"}, "only ?]0;root??may"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_reply one[] = {cases[i].reply, {NULL}};
		struct fake f;

		fake_start(&f, one);
		assert_int_equal(memweir(&f, "ps", "--json"), 1);
		assert_err(cases[i].say);
		assert_string_equal(last.out, "");
		fake_stop(&f);
	}
}

static void full_disk(void **state)
{
	char command[PATH_MAX + 64];

	(void)state;
	snprintf(command, sizeof(command), "%s --help > /dev/full 2>&1", memweir_path());
	assert_int_equal(WEXITSTATUS(system(command)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage),   cmocka_unit_test(help),	    cmocka_unit_test(no_daemon),
		cmocka_unit_test(changes), cmocka_unit_test(wrong_answers), cmocka_unit_test(full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
