/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* GET /metrics of many: in turns, each worker once, few answers at a time. What the guard costs is made up here. */
#include "served.h"

#include "daemon/metrics_cost.h"
#include "util/cleanup.h"

#define MANY	 1000
#define FEW	 800 /* their answer is more than a socket takes, and soon written also under valgrind */
#define CLIENTS	 8
#define ROOTS	 4
#define OTHERS	 2
#define PATIENCE (20 * MW_NS_PER_S)

void mw_metrics_cost(struct mw_guard *guard, struct mw_metrics_guard *ret_cost)
{
	*ret_cost =
		(struct mw_metrics_guard){.version = "test", .budget = MW_UNLIMITED, .refused = guard->scrapes_refused};
}

static void on_request(struct mw_request *r, void *arg)
{
	mw_serve_metrics(arg, r, "");
}

/* Others get their own workers alone. */
static void only_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: only root sees the host\n");
	skip();
}

static int start(void **state)
{
	(void)state;
	return serve(on_request, MANY);
}

static int stop(void **state)
{
	(void)state;
	mw_turns_close(&g);
	assert_int_equal(g.scrapes_open[0], 0); /* each answer is given back, read or not */
	assert_null(g.scrape);
	mw_totals_free(&g.totals);
	return serve_end();
}

static struct mw_worker *worker(unsigned number)
{
	return mw_worker_by_id(&g.workers, 1000 + number);
}

static void add_workers(unsigned n)
{
	struct mw_worker *w;
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "web-%04u", i);
		assert_int_equal(mw_worker_add(&g.workers, name, "tool", "/tool/web", -1, 1000 + i, 5, &w), 0);
	}
}

static struct client ask(const char *headers)
{
	return request("/metrics", headers);
}

/* The reply, whole; ret_turns: of the loop that went on with it. */
static const char *finish(struct client *c, unsigned *ret_turns)
{
	take_all(c, ret_turns);
	return c->reply;
}

static void until_begun(void)
{
	__u64 end_ns = mw_now_ns() + PATIENCE;

	while (!g.scrape && mw_now_ns() < end_ns)
		mw_server_run(server);
	assert_non_null(g.scrape);
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void of_nobody(void **state)
{
	struct client c;
	const char *reply;

	(void)state;
	only_root();
	c = ask("Accept: application/openmetrics-text\r\n");
	reply = finish(&c, NULL);
	assert_non_null(strstr(reply, "HTTP/1.1 200"));
	assert_non_null(strstr(reply, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	assert_non_null(strstr(reply, "memweir_build_info{version=\"test\""));
	assert_string_equal(reply + strlen(reply) - 6, "# EOF\n");
	drop(&c);
}

static void of_many_in_turns(void **state)
{
	unsigned turns;
	struct client c;
	const char *reply;

	(void)state;
	only_root();
	add_workers(MANY);
	c = ask("");
	reply = finish(&c, &turns);
	assert_true(turns >= MANY - 1); /* the first may be one of the server */
	assert_non_null(strstr(reply, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_int_equal(times(reply, "# HELP memweir_worker_usage_bytes "), 1);
	assert_int_equal(times(reply, "\nmemweir_worker_usage_bytes{"), MANY);
	assert_int_equal(times(reply, "\nmemweir_worker_level{"), MANY);
	assert_true(strstr(reply, "usage_bytes{worker=\"web-0000\"") <
		    strstr(reply, "usage_bytes{worker=\"web-0999\""));
	assert_non_null(strstr(reply, "memweir_workers{class=\"tool\",level=\"ok\"} 1000\n"));
	assert_null(strstr(reply, "# EOF"));
	drop(&c);
}

/* Who has been written is not counted again when it ends, who has not is not forgotten: sums never go back. */
static void some_end_meanwhile(void **state)
{
	struct mw_pause_stat stats[MW_PAUSE_MAX] = {0};
	unsigned written = 0, ended = 0;
	struct client c;
	const char *reply;
	char line[128];

	(void)state;
	only_root();
	add_workers(MANY);
	mw_pause_count(&mw_totals_class(&g.totals, "tool")->pauses[MW_PAUSE_THRASH], 1000);
	mw_pause_count(&stats[MW_PAUSE_THRASH], 1000);
	c = ask("");
	until_begun();
	for (unsigned n = 0; n < MANY; n += 100) {
		struct mw_worker *w = worker(n);

		written += w->scrape == g.scrapes;
		ended += w->scrape != g.scrapes;
		mw_pauses_add(mw_totals_class(&g.totals, "tool")->pauses, stats);
		mw_scrape_ended(&g, w, stats);
		mw_worker_remove(&g.workers, w);
	}
	assert_true(written && ended);
	reply = finish(&c, NULL);
	snprintf(line, sizeof(line), "memweir_pause_seconds_count{class=\"tool\",kind=\"thrash\"} %u\n", 1 + ended);
	assert_non_null(strstr(reply, line));
	assert_int_equal(times(reply, "\nmemweir_worker_level{"), MANY - ended);
	drop(&c);
	c = ask("");
	reply = finish(&c, NULL);
	snprintf(line, sizeof(line), "memweir_pause_seconds_count{class=\"tool\",kind=\"thrash\"} %u\n",
		 1 + MANY / 100);
	assert_non_null(strstr(reply, line));
	drop(&c);
}

/* Four who ask and do not read keep four answers; the next is told to come back, and is served when one has left. */
static void slow_readers(void **state)
{
	unsigned most = geteuid() == 0 ? ROOTS : OTHERS, kind = geteuid() != 0;
	__u64 end_ns = mw_now_ns() + PATIENCE;
	struct client slow[CLIENTS], c;
	const char *reply;

	(void)state;
	add_workers(FEW);
	for (unsigned i = 0; i < most; i++)
		slow[i] = ask("");
	while (g.scrapes < most || g.turns) {
		assert_true(mw_now_ns() < end_ns);
		mw_turns_run(&g);
		mw_server_run(server);
	}
	assert_int_equal(g.scrapes_open[kind], most);
	c = ask("");
	reply = finish(&c, NULL);
	assert_non_null(strstr(reply, "HTTP/1.1 503"));
	assert_non_null(strstr(reply, "Retry-After: 1\r\n"));
	drop(&c);
	assert_int_equal(g.scrapes_refused, 1);
	close(slow[0].fd);
	while (g.scrapes_open[kind] == most) {
		assert_true(mw_now_ns() < end_ns);
		mw_server_run(server);
	}
	c = ask("");
	assert_non_null(strstr(finish(&c, NULL), "HTTP/1.1 200"));
	drop(&c);
	for (unsigned i = 1; i < most; i++)
		close(slow[i].fd);
	while (g.scrapes_open[kind]) {
		assert_true(mw_now_ns() < end_ns);
		mw_server_run(server);
	}
}

static void the_client_leaves(void **state)
{
	struct client c, other;

	(void)state;
	add_workers(MANY);
	c = ask("");
	until_begun();
	close(c.fd);
	other = ask("");
	assert_int_equal(times(finish(&other, NULL), "\nmemweir_worker_level{"), MANY);
	assert_int_equal(g.scrapes, 2);
	drop(&other);
}

static void the_guard_stops(void **state)
{
	struct client c;

	(void)state;
	add_workers(MANY);
	c = ask("");
	until_begun();
	mw_turns_close(&g);
	assert_null(g.scrape);
	assert_non_null(strstr(finish(&c, NULL), "HTTP/1.1 503"));
	drop(&c);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_server(of_nobody),	   with_server(of_many_in_turns),  with_server(some_end_meanwhile),
		with_server(slow_readers), with_server(the_client_leaves), with_server(the_guard_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
