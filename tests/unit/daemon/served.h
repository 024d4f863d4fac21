/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A guard's server on a socket of its own, and clients that read as much as has come. */
#ifndef MW_TESTS_SERVED_H
#define MW_TESTS_SERVED_H

#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/serve.h"
#include "util/clock.h"

static struct mw_guard g;
static struct mw_server *server;
static char dir[40], path[64];

static inline int serve(void (*on_request)(struct mw_request *r, void *arg), size_t workers)
{
	struct mw_error err = {0};
	int fd;

	g = (struct mw_guard){.root_fd = -1, .turn_ns = 1}; /* a step a turn, however fast the machine is */
	snprintf(dir, sizeof(dir), "/tmp/mw-served-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	if (mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &server, &err))
		return -1;
	return mw_workers_init(&g.workers, workers);
}

static inline int serve_end(void)
{
	mw_server_free(server);
	mw_workers_free(&g.workers);
	unlink(path);
	return rmdir(dir);
}

struct client {
	int fd;
	char *reply;
	size_t size, room;
};

static inline struct client request(const char *target, const char *headers)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct client c = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	char text[256];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, headers);

	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(connect(c.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(c.fd, text, (size_t)n, MSG_NOSIGNAL), n);
	return c;
}

/* What has come so far. False: that was all. */
static inline bool take(struct client *c)
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

/* To its end; ret_turns, unless NULL: of the loop that went on with it. */
static inline void take_all(struct client *c, unsigned *ret_turns)
{
	__u64 end_ns = mw_now_ns() + 20 * MW_NS_PER_S;
	unsigned turns = 0;

	while (take(c)) {
		assert_true(mw_now_ns() < end_ns);
		turns += g.turns != NULL;
		mw_turns_run(&g);
		mw_server_run(server);
	}
	if (ret_turns)
		*ret_turns = turns;
}

static inline void drop(struct client *c)
{
	close(c->fd);
	free(c->reply);
}

#endif
