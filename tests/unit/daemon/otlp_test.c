/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the daemon passes on to memweir-otlp, and what it does when that does not take it. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "daemon/otlp_impl.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/json_in.h"

static struct mw_guard g;
static int theirs = -1;

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	g = (struct mw_guard){0};
	assert_int_equal(mw_teller_new(&g.tell), 0);
	assert_int_equal(mw_otlp_open(&g), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	g.otlp->sock = pair[0];
	g.otlp->state = MW_OTLP_UP;
	theirs = pair[1];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mw_otlp_close(&g);
	mw_teller_free(g.tell);
	mw_close(&theirs);
	return 0;
}

/* The next record, parsed; NULL: there is none. The caller's. */
static struct json_object *next(void)
{
	char text[MW_OTLP_RECORD_MAX];
	ssize_t n = recv(theirs, text, sizeof(text), MSG_DONTWAIT);
	struct json_object *o = NULL;

	if (n > 0)
		assert_int_equal(mw_json_parse(text, (size_t)n, &o, NULL), 0);
	return o;
}

static const char *text_of(struct json_object *o, const char *key)
{
	return json_object_get_string(mw_json_member(o, key, json_type_string));
}

static void tell(const char *kind)
{
	struct json_object *doc = json_object_new_object();

	json_object_object_add(doc, "type", json_object_new_string(kind));
	mw_tell_json(g.tell, kind, doc, true);
}

static void what_is_told(void **state)
{
	_cleanup_(mw_json_putp) struct json_object *a = NULL, *b = NULL, *check = NULL;
	struct json_object *e;
	__u64 time = 0;

	(void)state;
	tell("oom");
	a = next();
	e = mw_json_member(a, "event", json_type_object);
	assert_string_equal(text_of(e, "kind"), "oom");
	assert_true(mw_json_member_u64(e, "time", ~0ULL, &time) && time > 0);
	assert_null(text_of(e, "trace"));
	assert_string_equal(text_of(mw_json_member(e, "doc", json_type_object), "type"), "oom");

	mw_otlp_check_begins(&g);
	mw_tell(g.tell, LOG_WARNING, "memory-high", NULL, "w is high");
	mw_otlp_check_ends(&g);
	b = next();
	check = next();
	e = mw_json_member(b, "event", json_type_object);
	assert_int_equal(json_object_get_int(mw_json_member(e, "priority", json_type_int)), LOG_WARNING);
	assert_string_equal(text_of(e, "trace"), text_of(mw_json_member(check, "check", json_type_object), "trace"));
	assert_int_equal(strlen(text_of(e, "trace")), 32);
	assert_int_equal(strlen(text_of(e, "span")), 16);
	assert_int_equal(mw_otlp_stats(&g).records, 3);
}

static void nobody_takes_it(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++)
		tell("started");
	/* a thousand at once at the most, fewer where the socket is full; all the others are counted */
	assert_in_range(mw_otlp_stats(&g).records, 10, 1300);
	assert_int_equal(mw_otlp_stats(&g).records + mw_otlp_stats(&g).lost, 3000);
	mw_close(&g.otlp->sock);
	tell("started");
	assert_int_equal(mw_otlp_stats(&g).records + mw_otlp_stats(&g).lost, 3001);
	g.otlp->state = MW_OTLP_OFF; /* nobody wants it: nothing is lost */
	tell("started");
	mw_otlp_check_begins(&g);
	mw_otlp_check_ends(&g);
	assert_int_equal(mw_otlp_stats(&g).records + mw_otlp_stats(&g).lost, 3001);
}

static void one_that_is_too_long(void **state)
{
	static char text[MW_OTLP_RECORD_MAX];
	struct json_object *doc = json_object_new_object();

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	json_object_object_add(doc, "text", json_object_new_string(text));
	mw_tell_json(g.tell, "long", doc, true);
	assert_int_equal(mw_otlp_stats(&g).lost, 1);
	assert_null(next());
}

static void ids_differ(void **state)
{
	char first[33];

	(void)state;
	assert_int_equal(strlen(g.otlp->instance), 36);
	for (int i = 0; i < 100; i++) {
		snprintf(first, sizeof(first), "%s", g.otlp->trace);
		mw_otlp_check_begins(&g);
		assert_string_not_equal(first, g.otlp->trace);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_told),
		TEST(nobody_takes_it),
		TEST(one_that_is_too_long),
		TEST(ids_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
