/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* report rules, set rule, and the hook that never fails a container. */
#include "fake.h"

#include "util/cleanup.h"
#include "util/clock.h"

static const char rules[] =
	"{\"rules\":[{\"name\":\"mcp\",\"class\":\"tool\",\"priority\":3,\"patterns\":{\"parent\":\"context\","
	"\"arguments\":\"*mcp*\"},\"matched\":7,\"workers\":[\"a-1\",\"b-2\"]}],\"newcomers\":{\"told\":20,"
	"\"admitted\":7,"
	"\"refused\":1,\"ended_before\":2,\"left_out\":3,\"left_out_by_kernel\":4}}";

static const struct fake_reply table[] = {
	{"GET", "/v1/report/rules", 200, rules},
	{"PATCH", "/v1/config", 200, "{\"text\":\"rule x: 2 settings changed\"}"},
	{"POST", "/v1/newcomers", 200, "{\"text\":\"looked at now\"}"},
	{NULL},
};
static struct fake f;

static void report(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "rules"), 0);
	assert_out("mcp   tool          3       7        2  parent=context arguments=*mcp*\n");
	assert_out("20 newcomers looked at, 7 came under guard, 1 could not be taken, 2 had ended; 7 left to a later "
		   "look");
	assert_int_equal(memweir(&f, "report", "rules", "--json"), 0);
	assert_out("\"matched\":7");
}

static void set(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "set", "rule", "x", "class=tool", "label=a=b"), 0);
	assert_true(fake_was_asked(&f, "\"rule x\""));
	assert_true(fake_was_asked(&f, "\"label\":\"a=b\""));
	assert_int_equal(memweir(&f, "set", "rule", "class=tool"), 2);
	assert_err("which rule?");
}

static void removed(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "set", "rule", "x", "--remove", "--save"), 0);
	assert_true(fake_was_asked(&f, "\"target\":\"rule x\",\"remove\":true,\"save\":true"));
	assert_int_equal(memweir(&f, "set", "rule", "--remove"), 2);
	assert_err("which rule?");
	assert_int_equal(memweir(&f, "set", "--remove", "rule", "x", "class=tool"), 2);
	assert_err("\"class=tool\": with --remove nothing is set");
	assert_int_equal(memweir(&f, "set", "--remove", "class", "tool"), 2);
	assert_err("--remove is for rules; what was set of a class goes back with KEY=default");
	assert_int_equal(memweir(&f, "set", "rule", "x"), 2);
	assert_err("expected KEY=VALUE, or --remove");
}

static void none(void **state)
{
	static const struct fake_reply replies[] = {{"GET", "/v1/report/rules", 200,
						     "{\"rules\":[],\"class_carriers\":false}"},
						    {NULL}};
	struct fake empty;

	(void)state;
	fake_start(&empty, replies);
	assert_int_equal(memweir(&empty, "report", "rules"), 0);
	assert_string_equal(last.out, "no rules are in force: nobody comes under guard by itself\n");
	fake_stop(&empty);
}

/* The exit status with this on standard input. */
static int hook(const char *text, const char *socket, const char *option)
{
	const char *words[] = {"--socket", socket, "hook", option, NULL};
	_cleanup_fclose_ FILE *in = tmpfile();

	assert_non_null(in);
	fputs(text, in);
	rewind(in);
	memweir_end(&f, memweir_start(&f, fileno(in), words), &last);
	assert_string_equal(last.out, "");
	return last.status;
}

static void hook_tells(void **state)
{
	(void)state;
	assert_int_equal(hook("{\"id\":\"c\",\"status\":\"running\",\"pid\":4711}", f.socket, NULL), 0);
	assert_string_equal(last.err, "");
	assert_true(fake_was_asked(&f, "POST /v1/newcomers HTTP/1.1 {\"pid\":4711}"));
}

static void hook_never_fails(void **state)
{
	static const char *const texts[] = {"", "{", "[1]", "{\"pid\":\"1\"}", "{\"pid\":0}", "{\"id\":\"c\"}", "\377"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(hook(texts[i], f.socket, NULL), 0);
		assert_err("memweir hook: ");
	}
	assert_int_equal(hook("{\"pid\":1}", "/nonexistent/socket", NULL), 0);
	assert_err("no daemon");
	assert_int_equal(hook("{\"pid\":1}", f.socket, "--what"), 0);
	assert_err("unknown option");
}

/* Neither a runtime that keeps the pipe open nor a daemon that does not answer holds it. */
static void hook_is_gone_in_time(void **state)
{
	const char *words[] = {"hook", "--timeout", "200", NULL};
	__u64 began = mw_now_ns();
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	memweir_end(&f, memweir_start(&f, pipes[0], words), &last);
	assert_int_equal(last.status, 0);
	assert_true(mw_now_ns() - began >= 200 * MW_NS_PER_MS);
	assert_true(mw_now_ns() - began < 20 * MW_NS_PER_S);
	close(pipes[0]);
	close(pipes[1]);
}

static int up(void **state)
{
	(void)state;
	fake_start(&f, table);
	return 0;
}

static int down(void **state)
{
	(void)state;
	fake_stop(&f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report),
		cmocka_unit_test(set),
		cmocka_unit_test(removed),
		cmocka_unit_test(none),
		cmocka_unit_test(hook_tells),
		cmocka_unit_test(hook_never_fails),
		cmocka_unit_test(hook_is_gone_in_time),
	};

	return cmocka_run_group_tests(tests, up, down);
}
