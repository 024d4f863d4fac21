// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Whether so many connections fit, and the sentence that says so. */
#include "unit.h"

#include <memweir.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MB 1000000ULL
#define GB 1000000000ULL

static struct memweir_plan_result planned(struct memweir_plan_options o)
{
	struct memweir_plan_result p = MEMWEIR_INIT(struct memweir_plan_result);

	o.size = sizeof(o);
	assert_int_equal(memweir_plan(&o, &p), 0);
	return p;
}

static const char *text(struct memweir_plan_options o)
{
	static char buf[MEMWEIR_PLAN_TEXT];
	struct memweir_plan_result p = planned(o);

	int n = memweir_plan_text(&p, buf, sizeof(buf));

	assert_true(n >= 0);
	assert_int_equal(n, strlen(buf));
	return buf;
}
#define TEXT(...) text((struct memweir_plan_options){__VA_ARGS__})

static void parts(void **state)
{
	struct memweir_plan_options o = {.connections = 15000,
					 .budget_bytes = 3 * GB,
					 .each_bytes = 180000,
					 .fixed_bytes = 56 * MB,
					 .buffer_bytes = 100000,
					 .pool_buffers = 1000};
	struct memweir_plan_result p = planned(o);

	(void)state;
	assert_string_equal(text(o), "Memory OK: 2856 MB of 3 GB (95.2 %)");
	assert_int_equal(p.verdict, MEMWEIR_PLAN_OK);
	assert_int_equal(p.total_bytes, 2856 * MB);
	assert_int_equal(p.idle_bytes, 2700 * MB);
	assert_int_equal(p.buffers, 1000);
	assert_int_equal(p.buffers_bytes, 100 * MB);
	assert_int_equal(p.connections_fit, 15800);
	o.connections = p.connections_fit;
	assert_int_equal(planned(o).verdict, MEMWEIR_PLAN_WARNING);
	o.connections++;
	assert_int_equal(planned(o).verdict, MEMWEIR_PLAN_TOO_MUCH);
	o.connections = 15000;
	o.active_share = 0.05;
	assert_int_equal(planned(o).buffers, 750);
	o.active_share = 0.00001; /* somebody is at work, if only in part */
	assert_int_equal(planned(o).buffers, 1);
	o.pool_buffers = 0;
	o.active_share = 0;
	assert_int_equal(planned(o).buffers, 15000);
	o.buffer_bytes = 0;
	o.socket_bytes = 2000;
	assert_int_equal(planned(o).buffers, 0);
	assert_int_equal(planned(o).sockets_bytes, 30 * MB);
	assert_int_equal(planned(o).total_bytes, 2786 * MB);
}

static void sentences(void **state)
{
	(void)state;
	assert_string_equal(TEXT(.connections = 15000, .each_bytes = 190400, .budget_bytes = 3 * GB),
			    "Memory OK: 2856 MB of 3 GB (95.2 %)");
	assert_string_equal(TEXT(.connections = 97, .each_bytes = MB, .budget_bytes = 100 * MB),
			    "Memory warning: 97 MB of 100 MB (97.0 %)");
	assert_string_equal(TEXT(.connections = 96999, .each_bytes = 1000, .budget_bytes = 100 * MB),
			    "Memory OK: 97 MB of 100 MB (96.9 %)");
	assert_string_equal(TEXT(.connections = 100, .each_bytes = MB, .budget_bytes = 100 * MB),
			    "Memory warning: 100 MB of 100 MB (100.0 %)");
	assert_string_equal(TEXT(.connections = 1, .each_bytes = 100 * MB + 1, .budget_bytes = 100 * MB),
			    "Memory exceeded: 100 MB of 100 MB (100.1 %), 0 connections fit");
	assert_string_equal(TEXT(.connections = 3, .each_bytes = 80 * MB, .budget_bytes = 100 * MB),
			    "Memory exceeded: 240 MB of 100 MB (240.0 %), 1 connection fits");
	assert_string_equal(TEXT(.connections = 1, .each_bytes = MB, .budget_bytes = 1500 * MB),
			    "Memory OK: 1000 KB of 1.5 GB (0.0 %)");
	assert_string_equal(TEXT(.budget_bytes = 999), "Memory OK: 0 B of 999 B (0.0 %)");
	assert_string_equal(TEXT(.budget_bytes = 2999996416), "Memory OK: 0 B of 3 GB (0.0 %)"); /* 3 GB in pages */
	assert_string_equal(TEXT(.budget_bytes = 999997440), "Memory OK: 0 B of 1 GB (0.0 %)");
	assert_string_equal(TEXT(.budget_bytes = 2990000000), "Memory OK: 0 B of 2.9 GB (0.0 %)");
	assert_string_equal(TEXT(.budget_bytes = UINT64_MAX), "Memory OK: 0 B of 18446744 TB (0.0 %)");
	assert_string_equal(TEXT(.connections = 50, .each_bytes = MB, .budget_bytes = 100 * MB, .warn_share = 0.5),
			    "Memory warning: 50 MB of 100 MB (50.0 %)");
	assert_int_equal(planned((struct memweir_plan_options){.budget_bytes = 1}).connections_fit, UINT64_MAX);
}

static void bad_input(void **state)
{
	struct memweir_plan_options o = MEMWEIR_INIT(struct memweir_plan_options);
	struct memweir_plan_result p = {.size = sizeof(p), .total_bytes = 77};
	char buf[8];

	(void)state;
	assert_int_equal(memweir_plan(&o, &p), -EINVAL);
	assert_int_equal(memweir_plan(NULL, &p), -EINVAL);
	o.budget_bytes = 1;
	o.active_share = 1.5;
	assert_int_equal(memweir_plan(&o, &p), -EINVAL);
	o.active_share = 0.0 / 0.0;
	assert_int_equal(memweir_plan(&o, &p), -EINVAL);
	o.active_share = 0;
	o.warn_share = -1;
	assert_int_equal(memweir_plan(&o, &p), -EINVAL);
	o.warn_share = 0;
	o.connections = UINT64_MAX;
	o.each_bytes = 2;
	assert_int_equal(memweir_plan(&o, &p), -EOVERFLOW);
	o.each_bytes = 1;
	o.fixed_bytes = 1;
	assert_int_equal(memweir_plan(&o, &p), -EOVERFLOW);
	assert_int_equal(p.total_bytes, 77);
	assert_int_equal(memweir_plan_text(&p, buf, sizeof(buf)), -EINVAL);
	p.budget_bytes = 1;
	assert_int_equal(memweir_plan_text(&p, buf, sizeof(buf)), -ENOBUFS);
	p.size = 0;
	assert_int_equal(memweir_plan_text(&p, buf, sizeof(buf)), -EINVAL);
}

static void measured(void **state)
{
	struct memweir_plan_options o = {.size = sizeof(o), .fixed_bytes = 50 * MB, .buffer_bytes = 7};
	struct memweir_plan_seen s = {.size = sizeof(s), .connections = 3, .memory_bytes = 51 * MB, .socket_bytes = 10};

	(void)state;
	assert_int_equal(memweir_plan_live(&s, &o), 0);
	assert_int_equal(o.each_bytes, 333334);
	assert_int_equal(o.socket_bytes, 4);
	assert_int_equal(o.fixed_bytes, 50 * MB);
	assert_int_equal(o.buffer_bytes, 7);
	o.fixed_bytes = 60 * MB; /* measured at another time: more than there is now */
	assert_int_equal(memweir_plan_live(&s, &o), 0);
	assert_int_equal(o.each_bytes, 0);
	s.connections = 0;
	assert_int_equal(memweir_plan_live(&s, &o), -ENODATA);
	assert_int_equal(memweir_plan_live(NULL, &o), -EINVAL);
}

/* Connections to a path that this process listens at, both ends its own: the accepted ones count. */
static void looked_at(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct memweir_plan_seen s = MEMWEIR_INIT(struct memweir_plan_seen);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), clients[5], accepted[5];
	uint64_t before;

	(void)state;
	assert_int_equal(memweir_plan_look(&s), 0);
	before = s.connections;
	assert_true(s.memory_bytes > 100000 && s.memory_bytes < 10 * GB);
	snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/mwplan-%d", (int)getpid());
	unlink(at.sun_path);
	assert_return_code(bind(listener, (struct sockaddr *)&at, sizeof(at)), errno);
	assert_return_code(listen(listener, 8), errno);
	for (size_t i = 0; i < 5; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_return_code(connect(clients[i], (struct sockaddr *)&at, sizeof(at)), errno);
		accepted[i] = accept(listener, NULL, NULL);
		assert_return_code(accepted[i], errno);
	}
	assert_int_equal(memweir_plan_look(&s), 0);
	assert_int_equal(s.connections, before + 5);
	for (size_t i = 0; i < 5; i++) {
		close(clients[i]);
		close(accepted[i]);
	}
	assert_int_equal(memweir_plan_look(&s), 0);
	assert_int_equal(s.connections, before);
	close(listener);
	unlink(at.sun_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),    cmocka_unit_test(sentences), cmocka_unit_test(bad_input),
		cmocka_unit_test(measured), cmocka_unit_test(looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
