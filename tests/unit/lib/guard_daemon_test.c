// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A guard and a daemon that is made up: it answers what the test says, and notes what it was asked. */
#include "guard_tree.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WORKER                                                                                                         \
	"{\"name\":\"web\",\"class\":\"mcp\",\"cgroup_id\":%s,\"max_heap_bytes\":80000000,\"max_bin_heap_bytes\":"     \
	"null,"                                                                                                        \
	"\"hibernate_threshold\":0.75}"

static const char *worker_is; /* in the list, %s for the id that was asked for; NULL: none */
static const char *post_status, *post_body, *patch_status;
static bool joined; /* by a POST: then it is in the list */
static char asked[4096], only_id[32]; /* the worker's; "": any */
static int listener;
static pthread_t thread;

static void respond(int fd, const char *status, const char *body)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
			 status, strlen(body), body);

	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

/* worker_is, with the id for its %s. */
static void fill_in(char *ret, size_t size, const char *id)
{
	const char *at = strstr(worker_is, "%s");

	snprintf(ret, size, "%.*s%s%s", at ? (int)(at - worker_is) : (int)strlen(worker_is), worker_is, at ? id : "",
		 at ? at + 2 : "");
}

static void serve(int fd, char *request)
{
	char id[32] = "0", worker[512] = "", body[700];
	const char *at = strstr(request, "cgroup_id=");
	size_t used = strlen(asked);

	snprintf(asked + used, sizeof(asked) - used, "%.*s|", (int)strcspn(request, "\r"), request);
	if (strstr(request, "\r\n\r\n{"))
		snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s|", strstr(request, "\r\n\r\n") + 4);
	if (at)
		snprintf(id, sizeof(id), "%.*s", (int)strspn(at + 10, "0123456789"), at + 10);
	if (strncmp(request, "GET", 3) == 0) {
		if (worker_is && (joined || !post_status) && (!only_id[0] || !strcmp(only_id, id)))
			fill_in(worker, sizeof(worker), id);
		snprintf(body, sizeof(body), "{\"schema\":1,\"workers\":[%s]}", worker);
		return respond(fd, "200 OK", body);
	}
	if (strncmp(request, "PATCH", 5) == 0)
		return respond(fd, patch_status ? patch_status : "200 OK", "{\"error\":\"not so tight\"}");
	if (strstr(request, "/started") || strstr(request, "/hibernate"))
		return respond(fd, "200 OK", "{}");
	joined = post_status && post_status[0] == '2';
	respond(fd, post_status ? post_status : "500 X", post_body ? post_body : "{}");
}

static void *serve_all(void *arg)
{
	char request[4096];
	int fd;

	(void)arg;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		ssize_t n = recv(fd, request, sizeof(request) - 1, 0);

		request[n > 0 ? n : 0] = '\0';
		serve(fd, request);
		close(fd);
	}
	return NULL;
}

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (guard_setup(state))
		return -1;
	worker_is = post_status = post_body = patch_status = NULL;
	joined = false;
	asked[0] = only_id[0] = '\0';
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", tree);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 8) ||
	       pthread_create(&thread, NULL, serve_all, NULL);
}

static int teardown(void **state)
{
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	return tree_remove(state);
}

static struct memweir_guard *enrol(struct memweir_guard_options o)
{
	struct memweir_guard *g = NULL;
	static char path[128];

	snprintf(path, sizeof(path), "%s/socket", tree);
	o.socket_path = path;
	o.flags &= ~(uint64_t)MEMWEIR_GUARD_NO_DAEMON;
	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	return g;
}

static struct memweir_guard_limits limits(struct memweir_guard *g)
{
	struct memweir_guard_limits l = MEMWEIR_INIT(struct memweir_guard_limits);

	assert_int_equal(memweir_guard_limits(g, &l), 0);
	return l;
}

static const char *why(struct memweir_guard *g, enum memweir_capability bit)
{
	static char text[300];

	assert_true(memweir_guard_capability_text(g, bit, text, sizeof(text)) >= 0);
	return text;
}

static void is_a_worker(void **state)
{
	struct memweir_guard_options o = fake_options("tool");
	struct memweir_guard *g;

	(void)state;
	worker_is = WORKER;
	in_cgroup("/w", "memory.max", "80000000\n");
	g = enrol(o);
	assert_string_equal(limits(g).worker, "web");
	assert_string_equal(limits(g).class_name, "mcp"); /* the daemon's word, not ours */
	assert_int_equal(limits(g).max_heap_bytes, 80 * MILLION);
	assert_true(limits(g).max_bin_heap_bytes == MEMWEIR_UNLIMITED);
	assert_true(limits(g).hibernate_threshold == 0.75);
	assert_int_equal(memweir_guard_capabilities(g),
			 MEMWEIR_CAN_CGROUP | MEMWEIR_CAN_DAEMON | MEMWEIR_CAN_ENFORCE | MEMWEIR_CAN_RECLAIM);
	assert_null(strstr(asked, "POST"));
	assert_null(strstr(asked, "PATCH"));
	assert_true(memweir_guard_hibernate(g) >= 0);
	assert_non_null(strstr(asked, "POST /v1/workers/web/hibernate"));
	/* The daemon lifts or lowers it: the figure in the cgroup is followed, upwards too. */
	in_cgroup("/w", "memory.max", "90000000\n");
	assert_true(memweir_guard_hibernate(g) >= 0);
	assert_int_equal(limits(g).max_heap_bytes, 90 * MILLION);
	memweir_guard_free(g);
}

static unsigned long long id_of(const char *cgroup)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "cg%s", cgroup);
	assert_int_equal(stat(tree_path(path), &st), 0);
	return st.st_ino;
}

/* In a cgroup the program made itself: the figures and limits are those of the worker's. */
static void below_a_worker(void **state)
{
	struct memweir_guard_usage u = MEMWEIR_INIT(struct memweir_guard_usage);
	struct memweir_guard *g;

	(void)state;
	snprintf(only_id, sizeof(only_id), "%llu", id_of("/w"));
	stand_in("/w/deep/er");
	worker_is = WORKER;
	g = enrol(fake_options("tool"));
	assert_string_equal(limits(g).worker, "web");
	assert_int_equal(memweir_guard_usage(g, &u), 0);
	assert_int_equal(u.heap_bytes, 10 * MILLION);
	memweir_guard_free(g);
}

/* An older daemon answers with whoever is there. */
static void about_another_cgroup(void **state)
{
	static char worker[512];
	struct memweir_guard *g;

	(void)state;
	snprintf(worker, sizeof(worker),
		 "{\"name\":\"web\",\"class\":\"mcp\",\"cgroup_id\":%llu,\"max_heap_bytes\":80000000,"
		 "\"max_bin_heap_bytes\":1000,\"hibernate_threshold\":1}",
		 id_of("/w") + 1);
	worker_is = worker;
	g = enrol(fake_options("tool"));
	assert_false(memweir_guard_capabilities(g) & MEMWEIR_CAN_DAEMON);
	assert_non_null(strstr(why(g, MEMWEIR_CAN_DAEMON), "version"));
	assert_null(strstr(asked, "POST"));
	memweir_guard_free(g);
}

static void joins(void **state)
{
	struct memweir_guard_options o = fake_options("mcp");
	struct memweir_guard *g;

	(void)state;
	worker_is = WORKER;
	post_status = "201 Created";
	post_body = "{\"name\":\"web\",\"pressure_watch\":\"/some/fifo\",\"thp_off\":false}";
	o.name = "web";
	o.max_heap_bytes = 60 * MILLION;
	o.hibernate_threshold = 0.5;
	g = enrol(o);
	assert_non_null(strstr(asked, "{\"class\":\"mcp\",\"name\":\"web\",\"command\":\"guard_daemon_te"));
	assert_non_null(strstr(asked, "\"self\":true}"));
	assert_non_null(strstr(asked, "POST /v1/workers/web/started"));
	assert_non_null(strstr(asked,
			       "{\"target\":\"worker web\",\"tighten\":true,\"settings\":{\"max_heap\":\"60000000\","
			       "\"hibernate_threshold\":\"0.500\"}}"));
	assert_int_equal(limits(g).max_heap_bytes, 60 * MILLION);
	assert_true(limits(g).hibernate_threshold == 0.5);
	assert_true(memweir_guard_capabilities(g) & MEMWEIR_CAN_TIGHTEN);
	assert_true(memweir_guard_capabilities(g) & MEMWEIR_CAN_PRESSURE);
	assert_non_null(strstr(why(g, MEMWEIR_CAN_PRESSURE), "/some/fifo"));
	memweir_guard_free(g);
}

static void is_refused(void **state)
{
	struct memweir_guard_options o = fake_options("tool");
	struct memweir_guard *g;

	(void)state;
	post_status = "403 Forbidden";
	post_body = "{\"error\":\"class tool may be chosen by root only\"}";
	g = enrol(o);
	assert_string_equal(why(g, MEMWEIR_CAN_DAEMON),
			    "the daemon did not give the limits: class tool may be chosen by root only");
	assert_int_equal(limits(g).max_heap_bytes, 50 * MILLION);
	memweir_guard_free(g);
	asked[0] = '\0';
	o.flags |= MEMWEIR_GUARD_NO_MOVE;
	g = enrol(o);
	assert_null(strstr(asked, "POST"));
	memweir_guard_free(g);
	/* Own limits it does not take: they hold for the library all the same. */
	post_status = NULL;
	worker_is = WORKER;
	patch_status = "403 Forbidden";
	o.max_heap_bytes = 30 * MILLION;
	g = enrol(o);
	assert_false(memweir_guard_capabilities(g) & MEMWEIR_CAN_TIGHTEN);
	assert_non_null(strstr(why(g, MEMWEIR_CAN_TIGHTEN), "not so tight"));
	assert_int_equal(limits(g).max_heap_bytes, 30 * MILLION);
	memweir_guard_free(g);
}

static void answers_nonsense(void **state)
{
	static const char *const texts[] = {"", "[]", "{\"name\":\"x\"}", "{\"cgroup_id\":%s,\"name\":7}", "\"", "nul"};
	struct memweir_guard *g;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		worker_is = texts[i];
		g = enrol(fake_options("tool"));
		assert_false(memweir_guard_capabilities(g) & MEMWEIR_CAN_DAEMON);
		assert_int_equal(limits(g).max_heap_bytes, 50 * MILLION);
		memweir_guard_free(g);
	}
}

static void asked_again(void **state)
{
	struct memweir_guard *g;

	(void)state;
	setenv("MEMWEIR_WORKER", "web", 1);
	g = enrol(fake_options("tool")); /* the daemon does not know it yet */
	assert_int_equal(memweir_guard_refresh(g), -ENOENT);
	assert_int_equal(limits(g).max_heap_bytes, 50 * MILLION);
	worker_is = WORKER;
	assert_int_equal(memweir_guard_refresh(g), 0);
	assert_int_equal(limits(g).max_heap_bytes, 80 * MILLION);
	assert_string_equal(limits(g).worker, "web");
	worker_is = NULL; /* detached: what was known holds, but not as the daemon's */
	assert_int_equal(memweir_guard_refresh(g), -ENOENT);
	assert_string_equal(limits(g).worker, "");
	assert_int_equal(limits(g).max_heap_bytes, 80 * MILLION);
	assert_false(memweir_guard_capabilities(g) & MEMWEIR_CAN_DAEMON);
	memweir_guard_free(g);
}

/* It takes the connection and says nothing: enrolling goes on without it. */
static void does_not_answer(void **state)
{
	struct memweir_guard_options o = fake_options("tool");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int silent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct memweir_guard *g = NULL;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/silent", tree);
	assert_int_equal(bind(silent, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(silent, 8), 0);
	o.socket_path = address.sun_path;
	o.flags = 0;
	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	assert_non_null(strstr(why(g, MEMWEIR_CAN_DAEMON), "in time"));
	assert_int_equal(limits(g).max_heap_bytes, 50 * MILLION);
	memweir_guard_free(g);
}

#define daemon_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(is_a_worker), daemon_test(below_a_worker),	daemon_test(about_another_cgroup),
		daemon_test(joins),	  daemon_test(is_refused),	daemon_test(answers_nonsense),
		daemon_test(asked_again), daemon_test(does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
