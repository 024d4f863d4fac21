/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A guard with a recorder and a server, and a client of it. */
#ifndef MW_TESTS_RECORDED_H
#define MW_TESTS_RECORDED_H

#include "../unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/recording.h"
#include "daemon/serve.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define MANY 4000
#define S    MW_NS_PER_S

static struct mw_guard g;
static char dir[40], path[64];
static int dir_fd;
static char reply[4 << 20];

static void on_request(struct mw_request *r, void *guard);

static inline int start(void **state)
{
	struct mw_error err = {0};
	int fd;

	(void)state;
	g = (struct mw_guard){.root_fd = -1};
	g.cfg.monitor.sample_interval_ns = S / 2;
	snprintf(dir, sizeof(dir), "/tmp/mw-recorded-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mw_recorder_open(dir_fd, "boot", MANY, mw_now_ns(), &g.recorder, &err) ||
	    mw_server_listen_unix(path, (gid_t)-1, &fd, &err) || mw_server_new(fd, on_request, &g, &g.server, &err))
		return -1;
	return mw_workers_init(&g.workers, MANY);
}

static inline int stop(void **state)
{
	(void)state;
	mw_turns_close(&g);
	mw_live_close(&g);
	mw_server_free(g.server);
	mw_workers_free(&g.workers);
	mw_recorder_close(g.recorder);
	mw_recorder_remove(dir_fd);
	close(dir_fd);
	unlink(path);
	return rmdir(dir);
}

static inline struct mw_worker *add(const char *name, __u64 id, uid_t uid)
{
	struct mw_worker *w;

	assert_int_equal(mw_worker_add(&g.workers, name, "tool", "/memweir/tool/x", -1, id, 5, &w), 0);
	w->uid = uid;
	w->track = mw_recorder_begin(g.recorder, id, name);
	assert_non_null(w->track);
	return w;
}

static inline void look(struct mw_worker *w, __u64 time_ns, __u64 bytes)
{
	w->usage = (struct mw_usage){
		.time_ns = time_ns, .current = bytes, .heap = bytes / 2, .high = MW_UNLIMITED, .max = 50000000};
	mw_recording_look(w);
}

/* HTTP/1.0: its answers are not cut into chunks. */
static inline int connected(const char *target)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[4096];
	int n = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: x\r\n\r\n", target);

	memcpy(address.sun_path, path, sizeof(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
	return fd;
}

/* What has come so far, in reply. False: that was all. */
static inline bool take(int fd, size_t *size)
{
	ssize_t n;

	for (int i = 0; i < 50; i++) {
		mw_turns_run(&g);
		mw_server_run(g.server);
		while ((n = recv(fd, reply + *size, sizeof(reply) - 1 - *size, MSG_DONTWAIT)) > 0)
			*size += (size_t)n;
		reply[*size] = '\0';
		if (n == 0 || errno != EAGAIN)
			return false;
	}
	return true;
}

/* The whole answer's document; NULL: it has none. */
static inline struct json_object *get(const char *target, int *ret_status)
{
	__u64 end_ns = mw_now_ns() + 20 * S;
	_cleanup_close_ int fd = connected(target);
	size_t size = 0;

	while (take(fd, &size))
		assert_true(mw_now_ns() < end_ns);
	assert_int_equal(sscanf(reply, "HTTP/1.1 %d", ret_status), 1);
	return json_tokener_parse(strstr(reply, "\r\n\r\n") + 4);
}

static inline const char *text_of(struct json_object *o, const char *key)
{
	return json_object_to_json_string_ext(json_object_object_get(o, key), JSON_C_TO_STRING_PLAIN);
}

#endif
