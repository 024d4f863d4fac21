/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* report leaks of many: a bit in each turn of the loop, and whole where it arrives. */
#include "served.h"

#include <poll.h>

#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"

#define MANY 1000
#define SITE                                                                                                           \
	"[{\"bytes\":1234567890123,\"share\":0.125,\"frames\":[{\"function\":\"leak_more\",\"file\":"                  \
	"\"/usr/src/leak.c\",\"line\":31}]}]"

static void on_request(struct mw_request *r, void *arg)
{
	mw_serve_leaks(arg, r, "");
}

static int start(void **state)
{
	(void)state;
	return serve(on_request, MANY);
}

static int stop(void **state)
{
	(void)state;
	return serve_end();
}

/* web-0000 and so on, every third with sites; they come in an order of their own. */
static void add_workers(unsigned n)
{
	struct mw_kept *site = mw_json_keep(json_tokener_parse(SITE));
	struct mw_worker *w;
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		unsigned number = i * 7 % n;

		snprintf(name, sizeof(name), "web-%04u", number);
		assert_int_equal(mw_worker_add(&g.workers, name, "tool", "/tool/web", -1, 1000 + number, 5, &w), 0);
		if (number % 3)
			continue;
		w->sites = calloc(1, sizeof(*w->sites));
		w->sites->list = mw_kept_hold(site);
		w->sites->lines = mw_json_keep(json_object_new_array());
		w->sites->left_out_bytes = number;
	}
	mw_kept_drop(site);
}

static struct client ask(void)
{
	return request("/v1/report/leaks", "");
}

static void until_begun(void)
{
	__u64 end_ns = mw_now_ns() + 20 * MW_NS_PER_S;

	while (!g.turns && mw_now_ns() < end_ns)
		mw_server_run(server);
	assert_non_null(g.turns);
}

/* The document, parsed; ret_turns: of the loop that went on with it. */
static struct json_object *finish(struct client *c, unsigned *ret_turns)
{
	struct json_object *doc;
	const char *body;

	take_all(c, ret_turns);
	assert_non_null(strstr(c->reply, "HTTP/1.1 200"));
	body = strstr(c->reply, "\r\n\r\n");
	assert_non_null(body);
	doc = json_tokener_parse(body);
	assert_non_null(doc);
	drop(c);
	return doc;
}

static struct json_object *workers_of(struct json_object *doc)
{
	struct json_object *list;

	assert_true(json_object_object_get_ex(doc, "schema", NULL));
	assert_true(json_object_object_get_ex(doc, "timestamp", NULL));
	assert_int_equal(json_object_object_length(doc), 3);
	assert_true(json_object_object_get_ex(doc, "workers", &list));
	return list;
}

/* As mw_json_leak says it. */
static void assert_worker(struct json_object *one, unsigned number)
{
	const char *sites = json_object_to_json_string_ext(json_object_object_get(one, "sites"), MW_JSON_COMPACT);
	struct mw_worker w = {0};
	struct json_object *same = mw_json_leak(&w, mw_now_ns(), mw_wall_ns());
	char name[32];

	snprintf(name, sizeof(name), "web-%04u", number);
	assert_string_equal(json_object_get_string(json_object_object_get(one, "name")), name);
	assert_int_equal(json_object_get_int64(json_object_object_get(one, "cgroup_id")), 1000 + number);
	assert_int_equal(json_object_object_length(one), json_object_object_length(same));
	assert_string_equal(sites, number % 3 ? "[]" : SITE);
	if (number % 3)
		assert_null(json_object_object_get(one, "sites_left_out_bytes"));
	else
		assert_int_equal(json_object_get_int64(json_object_object_get(one, "sites_left_out_bytes")), number);
	json_object_put(same);
}

static void of_nobody(void **state)
{
	struct client c = ask();
	struct json_object *doc = finish(&c, NULL);

	(void)state;
	assert_int_equal(json_object_array_length(workers_of(doc)), 0);
	json_object_put(doc);
}

static void of_few_at_once(void **state)
{
	struct client c;
	struct json_object *doc, *list;
	unsigned turns;

	(void)state;
	add_workers(4);
	c = ask();
	doc = finish(&c, &turns);
	list = workers_of(doc);
	assert_int_equal(json_object_array_length(list), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_worker(json_object_array_get_idx(list, i), i);
	json_object_put(doc);
}

/* In the order of their names, in many turns; two who ask get the same. */
static void of_many_in_turns(void **state)
{
	struct client first, second;
	unsigned turns;

	(void)state;
	add_workers(MANY);
	first = ask();
	until_begun();
	second = ask();
	for (int i = 0; i < 2; i++) {
		struct json_object *doc = finish(i ? &second : &first, &turns), *list = workers_of(doc);

		assert_true(i || turns >= MANY - 1); /* the first may be one of the server */
		assert_int_equal(json_object_array_length(list), MANY);
		for (unsigned n = 0; n < MANY; n++)
			assert_worker(json_object_array_get_idx(list, n), n);
		json_object_put(doc);
	}
	assert_null(g.turns);
}

/* Who ends meanwhile is left out, unless it is in the answer already; that holds what it needs. */
static void some_end_meanwhile(void **state)
{
	struct json_object *doc, *list;
	struct client c;
	unsigned last;

	(void)state;
	add_workers(MANY);
	c = ask();
	until_begun();
	for (unsigned n = 0; n < MANY; n += 2)
		mw_worker_remove(&g.workers, mw_worker_by_id(&g.workers, 1000 + n));
	doc = finish(&c, NULL);
	list = workers_of(doc);
	last = 0;
	assert_in_range(json_object_array_length(list), MANY / 2, MANY - 1);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		unsigned number = (unsigned)json_object_get_int64(json_object_object_get(one, "cgroup_id")) - 1000;

		assert_true(!i || number > last);
		assert_worker(one, number);
		last = number;
	}
	assert_int_equal(last, MANY - 1);
	json_object_put(doc);
}

static void the_client_leaves(void **state)
{
	struct client c, other;
	struct json_object *doc;

	(void)state;
	add_workers(MANY);
	c = ask();
	until_begun();
	close(c.fd);
	other = ask();
	doc = finish(&other, NULL);
	assert_int_equal(json_object_array_length(workers_of(doc)), MANY);
	json_object_put(doc);
}

static void the_guard_stops(void **state)
{
	struct client c;

	(void)state;
	add_workers(MANY);
	c = ask();
	until_begun();
	mw_turns_close(&g);
	assert_null(g.turns);
	while (take(&c))
		mw_server_run(server);
	assert_non_null(strstr(c.reply, "HTTP/1.1 503"));
	assert_non_null(strstr(c.reply, "the guard is stopping"));
	drop(&c);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(of_nobody),		 with_server(of_few_at_once),	 with_server(of_many_in_turns),
		with_server(some_end_meanwhile), with_server(the_client_leaves), with_server(the_guard_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
