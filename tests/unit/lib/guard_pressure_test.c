// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Being told of pressure: systemd's protocol with a FIFO and with a socket. */
#include "guard_tree.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int calls[MEMWEIR_EVENT_MAX];
static char what[32];

static void counts(struct memweir_guard *g, const struct memweir_notice *n, void *arg)
{
	(void)g;
	(void)arg;
	calls[n->event]++;
	snprintf(what, sizeof(what), "%s", n->what);
}

static struct memweir_guard *listening(const char *path)
{
	struct memweir_guard *g;

	setenv("MEMORY_PRESSURE_WATCH", path, 1);
	g = enrolled("tool");
	memset(calls, 0, sizeof(calls));
	for (int e = 0; e < MEMWEIR_EVENT_MAX; e++)
		memweir_guard_on_level(g, (enum memweir_event)e, counts, NULL);
	return g;
}

static bool is_ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void nobody_tells(void **state)
{
	struct memweir_guard *g = enrolled("tool");

	(void)state;
	assert_int_equal(memweir_guard_fd(g), -EOPNOTSUPP);
	assert_int_equal(memweir_guard_dispatch(g), -EOPNOTSUPP);
	memweir_guard_free(g);
	g = listening("/dev/null"); /* the protocol's word for: not wanted */
	assert_int_equal(memweir_guard_fd(g), -EOPNOTSUPP);
	memweir_guard_free(g);
	g = listening("/nowhere/at/all");
	assert_int_equal(memweir_guard_fd(g), -ENOENT);
	memweir_guard_free(g);
}

static void through_a_fifo(void **state)
{
	_cleanup_close_ int writer = -1;
	struct memweir_guard *g;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(tree_path("fifo"), 0600), 0);
	g = listening(tree_path("fifo"));
	assert_true(memweir_guard_capabilities(g) & MEMWEIR_CAN_PRESSURE);
	fd = memweir_guard_fd(g);
	assert_true(fd >= 0);
	assert_int_equal(memweir_guard_fd(g), fd);
	writer = open(tree_path("fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_false(is_ready(fd));
	assert_int_equal(memweir_guard_dispatch(g), 0);
	assert_int_equal(write(writer, "x", 1), 1);
	assert_true(is_ready(fd));
	assert_int_equal(memweir_guard_dispatch(g), 1);
	assert_int_equal(calls[MEMWEIR_EVENT_WARNING], 1); /* told, though its own usage is fine */
	assert_int_equal(calls[MEMWEIR_EVENT_HIBERNATE], 0);
	assert_string_equal(what, "pressure");
	assert_false(is_ready(fd));
	memory_is("/w", (struct fake_memory){.anon = 49 * MILLION});
	assert_int_equal(write(writer, "x", 1), 1);
	assert_int_equal(memweir_guard_dispatch(g), 1);
	assert_int_equal(calls[MEMWEIR_EVENT_CRITICAL], 1);
	assert_int_equal(calls[MEMWEIR_EVENT_WARNING], 2);
	mw_close(&writer);
	assert_int_equal(memweir_guard_dispatch(g), 0);
	assert_false(is_ready(fd)); /* no hang-up that wakes for ever */
	memweir_guard_free(g);
}

static void through_a_socket(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer = -1;
	struct memweir_guard *g;
	char wish[32] = "";

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", tree);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	setenv("MEMORY_PRESSURE_WRITE", "c29tZSAyMDAwMDAgMjAwMDAwMAA=", 1);
	g = listening(tree_path("socket"));
	assert_true(memweir_guard_fd(g) >= 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(recv(peer, wish, sizeof(wish), 0), 20);
	assert_string_equal(wish, "some 200000 2000000");
	assert_int_equal(send(peer, "!", 1, 0), 1);
	assert_int_equal(memweir_guard_dispatch(g), 1);
	assert_int_equal(calls[MEMWEIR_EVENT_WARNING], 1);
	memweir_guard_free(g);
	setenv("MEMORY_PRESSURE_WRITE", "not base64!", 1);
	g = listening(tree_path("socket"));
	assert_int_equal(memweir_guard_fd(g), -EINVAL);
	memweir_guard_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(nobody_tells),
		guard_test(through_a_fifo),
		guard_test(through_a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
