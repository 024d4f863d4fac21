/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* report leaks of many: a bit in each turn of the loop, and whole where it arrives. */
#include "../unit.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/serve.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MANY 4000 /* some 20 ms of work */
#define SITE                                                                                                           \
	"[{\"bytes\":1234567890123,\"share\":0.125,\"frames\":[{\"function\":\"leak_more\",\"file\":"                  \
	"\"/usr/src/leak.c\",\"line\":31}]}]"

static struct mw_guard g;
static struct mw_server *server;
static char dir[32], path[64];

static void on_request(struct mw_request *r, void *arg)
{
	mw_serve_leaks(arg, r, "");
}

static int start(void **state)
{
	struct mw_error err = {0};
	int fd;

	(void)state;
	g = (struct mw_guard){.root_fd = -1};
	snprintf(dir, sizeof(dir), "/tmp/mw-leaks-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	if (mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &server, &err))
		return -1;
	return mw_workers_init(&g.workers, MANY);
}

static int stop(void **state)
{
	(void)state;
	mw_server_free(server);
	mw_workers_free(&g.workers);
	unlink(path);
	return rmdir(dir);
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

struct client {
	int fd;
	char *reply;
	size_t size, room;
};

static struct client ask(void)
{
	static const char request[] = "GET /v1/report/leaks HTTP/1.1\r\nHost: x\r\n\r\n";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client c = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(connect(c.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(c.fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	return c;
}

/* What has come so far. False: that was all. */
static bool take(struct client *c)
{
	for (;;) {
		ssize_t n;

		if (c->room - c->size < 65536) {
			c->room += 1 << 20;
			c->reply = realloc(c->reply, c->room);
			assert_non_null(c->reply);
		}
		n = recv(c->fd, c->reply + c->size, c->room - c->size - 1, MSG_DONTWAIT);
		if (n <= 0) {
			c->reply[c->size] = '\0';
			return n < 0 && errno == EAGAIN;
		}
		c->size += (size_t)n;
	}
}

static void until_begun(void)
{
	__u64 end_ns = mw_now_ns() + 20 * MW_NS_PER_S;

	while (!g.leaks && mw_now_ns() < end_ns)
		mw_server_run(server);
	assert_non_null(g.leaks);
}

/* The document, parsed; ret_turns: of the loop that went on with it. */
static struct json_object *finish(struct client *c, unsigned *ret_turns)
{
	__u64 end_ns = mw_now_ns() + 20 * MW_NS_PER_S;
	struct json_object *doc;
	const char *body;
	unsigned turns = 0;

	while (take(c)) {
		assert_true(mw_now_ns() < end_ns);
		turns += g.leaks != NULL;
		mw_serve_leaks_turn(&g);
		mw_server_run(server);
	}
	assert_non_null(strstr(c->reply, "HTTP/1.1 200"));
	body = strstr(c->reply, "\r\n\r\n");
	assert_non_null(body);
	doc = json_tokener_parse(body);
	assert_non_null(doc);
	close(c->fd);
	free(c->reply);
	if (ret_turns)
		*ret_turns = turns;
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

		assert_true(i || turns > 1);
		assert_int_equal(json_object_array_length(list), MANY);
		for (unsigned n = 0; n < MANY; n++)
			assert_worker(json_object_array_get_idx(list, n), n);
		json_object_put(doc);
	}
	assert_null(g.leaks);
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
	mw_serve_leaks_close(&g);
	assert_null(g.leaks);
	while (take(&c))
		mw_server_run(server);
	assert_non_null(strstr(c.reply, "HTTP/1.1 503"));
	assert_non_null(strstr(c.reply, "the guard is stopping"));
	close(c.fd);
	free(c.reply);
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
