// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Figures to a daemon that is made up and answers when the test says so: nothing waits for it. */
#include "guard_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <memweir/byte_pool.h>
#include <memweir/limiter.h>
#include <memweir/pool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/guard_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

static int listener;
static struct memweir_guard *g;

static int setup(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (guard_setup(state))
		return -1;
	g = enrolled("tool");
	g->can |= MEMWEIR_CAN_DAEMON;
	g->figures.due_ns = 0; /* enrolling looked, and had nothing to tell */
	snprintf(g->socket, sizeof(g->socket), "%s/socket", tree);
	strcpy(address.sun_path, g->socket);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1);
}

static int teardown(void **state)
{
	memweir_guard_free(g);
	close(listener);
	return tree_remove(state);
}

/* What was sent, whole: the library writes it before its call returns. NULL: nothing was. */
static const char *received(int *ret_fd)
{
	static char request[2 * MW_FIGURES_TEXT_MAX];
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = recv(fd, request, sizeof(request) - 1, MSG_DONTWAIT);
	request[n > 0 ? n : 0] = '\0';
	*ret_fd = fd;
	return request;
}

static void answer(int fd, const char *status, const char *body)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
			 status, strlen(body), body);

	assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
	close(fd);
}

/* So much time has passed since the last report. */
static void later(uint64_t ms)
{
	g->figures.asked_ns -= ms * MW_NS_PER_MS;
	g->figures.due_ns = 0;
}

static struct memweir_pool *named_pool(const char *name, int expected)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct memweir_pool *pool = NULL;

	o.buffers = 4;
	o.buffer_bytes = 4096;
	o.guard = g;
	o.name = name;
	assert_int_equal(memweir_pool_new(&o, &pool), expected);
	return pool;
}

static void reported(void **state)
{
	struct memweir_pool *pool;
	const char *request;
	uint64_t id;
	void *buffer;
	int fd;

	(void)state;
	assert_int_equal(memweir_guard_report(g), -ENODATA);
	g->figures.due_ns = 0;
	pool = named_pool("rx", 0);
	assert_int_equal(memweir_pool_checkout(pool, 0, &buffer), 0);
	assert_int_equal(memweir_guard_request_begin(g, &id), 0);
	assert_int_equal(memweir_guard_report(g), 1);
	request = received(&fd);
	assert_non_null(request);
	assert_int_equal(strncmp(request, "PUT /v1/workers/self/figures HTTP/1.1\r\n", 39), 0);
	assert_non_null(strstr(request, "{\"name\":\"rx\",\"bytes\":false,\"buffers\":4,\"in_use\":1,"));
	assert_non_null(strstr(request, "\"requests\":{\"count\":0,\"open\":1,"));
	/* It has not answered yet: nobody waits, and nothing else is sent. */
	assert_int_equal(memweir_guard_report(g), 0);
	assert_null(received(&fd));
	answer(fd, "200 OK", "{\"next_ms\":20000}");
	assert_int_equal(memweir_guard_report(g), 0);
	assert_int_equal(g->figures.fd, -1);
	assert_int_equal(g->figures.next_ms, 20000);
	later(19000);
	assert_int_equal(memweir_guard_report(g), 0);
	later(1500);
	/* By itself, in a look. */
	assert_int_equal(memweir_guard_request_end(g, id, NULL), 0);
	assert_int_equal(memweir_guard_validate_exact(g, NULL), MEMWEIR_LEVEL_OK);
	request = received(&fd);
	assert_non_null(strstr(request, "\"requests\":{\"count\":1,\"open\":0,"));
	close(fd);
	memweir_pool_free(pool);
	for (size_t i = 0; i < ARRAY_SIZE(g->figures.parts); i++)
		assert_int_equal(g->figures.parts[i].name[0], '\0');
}

static void all_kinds(void **state)
{
	struct memweir_byte_pool_options b = MEMWEIR_INIT(struct memweir_byte_pool_options);
	struct memweir_limiter_options l = MEMWEIR_INIT(struct memweir_limiter_options);
	struct memweir_byte_pool *bytes;
	struct memweir_limiter *limiter;
	const char *request;
	int fd;

	(void)state;
	b.guard = l.guard = g;
	b.name = "text";
	l.name = "text"; /* another kind: its names are its own */
	l.max_bytes = 50 * MILLION;
	assert_int_equal(memweir_byte_pool_new(&b, &bytes), 0);
	assert_int_equal(memweir_limiter_new(&l, &limiter), 0);
	assert_int_equal(memweir_limiter_check(limiter), 0);
	assert_int_equal(memweir_guard_report(g), 1);
	request = received(&fd);
	assert_non_null(strstr(request, "{\"name\":\"text\",\"bytes\":true,\"in_use\":0,"));
	assert_non_null(strstr(request, "{\"name\":\"text\",\"max_bytes\":50000000,\"used_bytes\":12000000,"
					"\"operations\":1,"));
	assert_null(strstr(request, "requests"));
	close(fd);
	memweir_byte_pool_free(bytes);
	memweir_limiter_free(limiter);
}

static void names(void **state)
{
	struct memweir_pool *pools[MW_FIGURES_POOLS];
	struct memweir_byte_pool_options b = MEMWEIR_INIT(struct memweir_byte_pool_options);
	struct memweir_byte_pool *bytes = NULL;
	char name[8];

	(void)state;
	named_pool("", -EINVAL);
	named_pool("a b", -EINVAL);
	named_pool("abcdefghijabcdefghijabcdefghijab", -EINVAL);
	for (unsigned int i = 0; i < MW_FIGURES_POOLS; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		pools[i] = named_pool(name, 0);
		named_pool(name, -EEXIST);
	}
	named_pool("more", -ENOSPC);
	memweir_pool_free(named_pool(NULL, 0)); /* not reported: there may be as many as you like */
	b.guard = g;
	b.name = "more";
	assert_int_equal(memweir_byte_pool_new(&b, &bytes), -ENOSPC);
	memweir_pool_free(pools[3]);
	assert_int_equal(memweir_byte_pool_new(&b, &bytes), 0);
	memweir_byte_pool_free(bytes);
	for (unsigned int i = 0; i < MW_FIGURES_POOLS; i++)
		if (i != 3)
			memweir_pool_free(pools[i]);
}

static void not_taken(void **state)
{
	static const struct {
		const char *status;
		int r;
	} rows[] = {
		{"404 X", -ENOENT}, {"409 X", -EBUSY}, {"403 X", -EPERM}, {"405 X", -EPROTO}, {"nonsense", -EPROTO}};
	struct memweir_pool *pool = named_pool("rx", 0);
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(memweir_guard_report(g), 1);
		assert_non_null(received(&fd));
		answer(fd, rows[i].status, "{}");
		assert_int_equal(memweir_guard_report(g), rows[i].r);
		assert_int_equal(memweir_guard_report(g), 0);
		later(59000); /* it is left alone for a minute */
		assert_int_equal(memweir_guard_report(g), 0);
		assert_null(received(&fd));
		later(2000);
	}
	/* It takes the connection and says nothing, for longer than anybody cares. */
	assert_int_equal(memweir_guard_report(g), 1);
	assert_non_null(received(&fd));
	later(MW_GUARD_ASK_MS + 100);
	assert_int_equal(memweir_guard_report(g), -ETIMEDOUT);
	close(fd);
	later(61000);
	close(listener);
	assert_int_equal(memweir_guard_report(g), -ECONNREFUSED);
	later(9000);
	assert_int_equal(memweir_guard_report(g), 0);
	later(2000); /* it may be back soon */
	assert_int_equal(memweir_guard_report(g), -ECONNREFUSED);
	memweir_pool_free(pool);
}

/* Its backlog is full: a blocking connect would wait here for ever. */
static void no_room(void **state)
{
	struct memweir_pool *pool = named_pool("rx", 0);
	int r = 1, fd;

	(void)state;
	for (int i = 0; i < 10 && r == 1; i++) {
		r = memweir_guard_report(g);
		later(1000000);
	}
	assert_int_equal(r, -EAGAIN);
	while (received(&fd))
		close(fd);
	later(6000);
	assert_int_equal(memweir_guard_report(g), 1);
	memweir_pool_free(pool);
}

/* Without a daemon nothing is tried. */
static void no_daemon(void **state)
{
	struct memweir_pool *pool = named_pool("rx", 0);
	int fd;

	(void)state;
	g->can &= ~(uint64_t)MEMWEIR_CAN_DAEMON;
	assert_int_equal(memweir_guard_report(g), -EOPNOTSUPP);
	assert_null(received(&fd));
	memweir_pool_free(pool);
}

/* A child leaves its parent's answer alone, and has no pools of it. */
static void in_a_child(void **state)
{
	struct memweir_pool *pool = named_pool("rx", 0);
	int fd, status;
	pid_t pid;

	(void)state;
	assert_int_equal(memweir_guard_report(g), 1);
	assert_non_null(received(&fd));
	answer(fd, "200 OK", "{\"next_ms\":5000}");
	pid = fork();
	if (!pid) {
		later(10000);
		_exit(memweir_guard_report(g) == -ENODATA && g->figures.fd == -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(memweir_guard_report(g), 0);
	assert_int_equal(g->figures.next_ms, 5000);
	memweir_pool_free(pool);
}

static _Atomic bool done;

static void *come_and_go(void *name)
{
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct memweir_pool *pool;
	void *buffer;

	o.buffers = 2;
	o.buffer_bytes = 4096;
	o.guard = g;
	o.name = name;
	while (!atomic_load(&done)) {
		if (memweir_pool_new(&o, &pool) < 0)
			return name; /* a name of its own: it must be free */
		memweir_pool_checkout(pool, 0, &buffer);
		memweir_pool_checkin(pool, buffer);
		memweir_pool_free(pool);
	}
	return NULL;
}

/* Pools come and go in other threads while a report looks at them. */
static void threads(void **state)
{
	struct memweir_pool *pool = named_pool("stays", 0);
	__u64 end_ns = mw_now_ns() + 60 * MW_NS_PER_S;
	pthread_t t[2];
	void *failed;
	int fd, sent = 0;

	(void)state;
	atomic_store(&done, false);
	assert_int_equal(pthread_create(&t[0], NULL, come_and_go, "a"), 0);
	assert_int_equal(pthread_create(&t[1], NULL, come_and_go, "b"), 0);
	while (sent < 50 && mw_now_ns() < end_ns) {
		pthread_mutex_lock(&g->figures.lock);
		g->figures.asked_ns = g->figures.due_ns = 0;
		pthread_mutex_unlock(&g->figures.lock);
		sent += memweir_guard_report(g) == 1;
		if (received(&fd))
			answer(fd, "200 OK", "{\"next_ms\":5000}");
	}
	atomic_store(&done, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(t[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(sent, 50);
	memweir_pool_free(pool);
}

#define figures_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		figures_test(reported), figures_test(all_kinds), figures_test(names),	   figures_test(not_taken),
		figures_test(no_room),	figures_test(no_daemon), figures_test(in_a_child), figures_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
