/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "leak/runtime.h"

#define OF(exe, cmdline) mw_runtime_of(exe, cmdline, sizeof(cmdline))

static void is(struct mw_runtime r, const char *name, const char *script)
{
	assert_non_null(r.name);
	assert_string_equal(r.name, name);
	assert_string_equal(r.script, script);
	assert_true(strlen(r.hint) > 20);
}

static void runtimes(void **state)
{
	(void)state;
	is(OF("/usr/bin/python3.11", "python3\0/srv/app.py\0--port\0"
				     "80"),
	   "python", "/srv/app.py");
	is(OF("/usr/bin/python3.11", "python3\0-u\0-X\0dev\0-W\0error\0app.py"), "python", "app.py");
	is(OF("/usr/bin/python3.11", "python3\0-m\0mcp.server\0x"), "python", "mcp.server");
	is(OF("/usr/bin/python3.11", "python3\0-c\0import this"), "python", "");
	is(OF("/opt/python", "python"), "python", "");
	is(OF("/usr/bin/node (deleted)", "node\0--max-old-space-size=60\0-r\0./hook.js\0server.js"), "node",
	   "server.js");
	is(OF("/usr/bin/nodejs", "nodejs\0-e\0setInterval(f, 1)"), "node", "");
}

static void others(void **state)
{
	(void)state;
	assert_null(OF("/usr/bin/nodemon", "nodemon\0x").name);
	assert_null(OF("/usr/bin/pythonic", "x").name);
	assert_null(OF("/usr/bin/sleep", "sleep\0"
					 "1")
			    .name);
	assert_null(OF("", "").name);
}

/* What a process says of itself is its own: cut, unterminated, empty. */
static void odd_command_lines(void **state)
{
	char longest[2000];

	(void)state;
	is(mw_runtime_of("/usr/bin/node", NULL, 0), "node", "");
	is(mw_runtime_of("/usr/bin/node", "node\0serv", 9), "node", "serv");
	is(mw_runtime_of("/usr/bin/node", "\0\0\0", 3), "node", "");
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "node", 5);
	assert_int_equal(strlen(mw_runtime_of("/usr/bin/node", longest, sizeof(longest)).script), 255);
}

static void of_a_process(void **state)
{
	(void)state;
	assert_null(mw_runtime_read("/proc", getpid()).name);
	assert_null(mw_runtime_read("/proc", 0x7fffffff).name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runtimes),
		cmocka_unit_test(others),
		cmocka_unit_test(odd_command_lines),
		cmocka_unit_test(of_a_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
