/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/run_stub.h"

#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cli/run_heap.h"
#include "cli/run_pressure.h"
#include "cli/run_runtime.h"
#include "util/cleanup.h"

/* What the stub is forked with: all of it made before, since what it allocates is charged to the command's cgroup. */
struct asking {
	struct sockaddr_un to;
	int socket_fd; /* shared: the stub connects and asks, we read the answer */
	int go_fds[2]; /* the stub says there -errno, or 0 once it has asked, and is told to go on */
	char *text;
	size_t size;
};

void mw_stub_env(const struct mw_stub_go *go)
{
	setenv("MEMWEIR_SOCKET", go->socket, 1);
	setenv("MEMWEIR_CLASS", go->class_name, 1);
	setenv("MEMWEIR_WORKER", go->worker, 1);
	mw_run_pressure_env(go->pressure);
	mw_run_heap_env(go->heap_sample);
	mw_run_runtime_env(go->runtime_profile);
}

/* In the stub. It is this process whose credentials and pid the socket bears, so it connects. */
static int ask(const struct asking *q)
{
	size_t done = 0;

	if (connect(q->socket_fd, (const struct sockaddr *)&q->to, sizeof(q->to)))
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	while (done < q->size) {
		ssize_t n = send(q->socket_fd, q->text + done, q->size - done, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		done += (size_t)n;
	}
	return 0;
}

static int prepare(void *arg)
{
	const struct asking *q = arg;
	struct mw_stub_go go;
	ssize_t n;
	int r;

	close(q->go_fds[1]); /* run's end of it: its death is ours */
	r = ask(q);
	if (send(q->go_fds[0], &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
		return -EPIPE;
	n = recv(q->go_fds[0], &go, sizeof(go), 0); /* whole or not at all */
	if (n != sizeof(go))
		return -ECANCELED;
	if (go.thp_off)
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	mw_stub_env(&go);
	return 0;
}

static void asking_free(struct asking *q)
{
	mw_close(&q->socket_fd);
	mw_close(&q->go_fds[0]);
	mw_close(&q->go_fds[1]);
	free(q->text);
}

static int asking_new(const char *path, const char *body, int timeout_ms, struct asking *q, struct mw_error *err)
{
	struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	int n;

	if (strlen(path) >= sizeof(q->to.sun_path))
		return mw_fail(err, -ENAMETOOLONG, "the socket path has %zu bytes, the limit is %zu: %s", strlen(path),
			       sizeof(q->to.sun_path) - 1, path);
	q->to.sun_family = AF_UNIX;
	strcpy(q->to.sun_path, path);
	n = mw_client_text("POST", "/v1/workers", body, &q->text);
	if (n < 0)
		return mw_fail(err, n, "no memory");
	q->size = (size_t)n;
	q->socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Connecting waits for room in the daemon's backlog as long as the socket's send timeout says. */
	if (q->socket_fd < 0 || setsockopt(q->socket_fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, q->go_fds))
		return mw_fail(err, -errno, "cannot make a unix socket: %s", strerror(errno));
	return 0;
}

/* -errno or 0 from the stub: whether it has asked. */
static int asked(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int code;

	/* Every signal but our own faults' is blocked: nothing interrupts. */
	if (poll(&p, 1, timeout_ms) <= 0)
		return -ETIMEDOUT;
	return recv(fd, &code, sizeof(code), 0) == sizeof(code) ? code : -EIO;
}

static int hear(const struct mw_cli *cli, const struct asking *q, int go_fd, int timeout_ms,
		struct mw_answer *ret_answer, struct mw_error *err)
{
	struct mw_error why = {0};
	struct mw_reply reply = {0};
	int r = asked(go_fd, timeout_ms);

	if (r == 0)
		r = mw_client_reply(q->socket_fd, "POST", "/v1/workers", timeout_ms, &reply, &why);
	if (r < 0)
		return mw_call_not_reached(cli, r, &why, err);
	return mw_call_take(cli, "POST", "/v1/workers", &reply, ret_answer, err);
}

int mw_stub_ask(const struct mw_cli *cli, struct json_object *body, char **argv, struct mw_wait *ret_wait,
		int timeout_ms, struct mw_stub *ret_stub, struct mw_answer *ret_answer, struct mw_error *err)
{
	_cleanup_(asking_free) struct asking q = {.socket_fd = -1, .go_fds = {-1, -1}};
	const char *text;
	int r;

	json_object_object_add(body, "self", json_object_new_boolean(true));
	text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
	mw_wait_prepare(ret_wait);
	r = asking_new(cli->socket, text ? text : "{}", timeout_ms, &q, err);
	if (r < 0)
		return r;
	ret_stub->spawn = (struct mw_spawn){
		.cgroup_fd = -1, .argv = argv, .sigmask = &ret_wait->childs_mask, .prepare = prepare, .arg = &q};
	r = mw_spawn_begin(&ret_stub->spawn, &ret_stub->sp);
	if (r < 0)
		return mw_fail(err, r, "cannot fork: %s", strerror(-r));
	ret_stub->spawn.arg = NULL; /* the stub has its own */
	ret_stub->go_fd = TAKE_FD(q.go_fds[1]);
	mw_close(&q.go_fds[0]);
	return hear(cli, &q, ret_stub->go_fd, timeout_ms, ret_answer, err);
}

int mw_stub_go(struct mw_stub *stub, const struct mw_stub_go *go, int cgroup_fd, pid_t *ret_pid, int *ret_pidfd)
{
	_cleanup_close_ int go_fd = TAKE_FD(stub->go_fd);
	int r;

	stub->spawn.cgroup_fd = cgroup_fd; /* to see whether it is frozen */
	(void)send(go_fd, go, sizeof(*go), MSG_NOSIGNAL); /* one that was killed meanwhile says so by its status */
	r = mw_spawn_wait(&stub->spawn, &stub->sp, ret_pid, ret_pidfd);
	stub->sp.pid = 0;
	return r;
}

void mw_stub_end(struct mw_stub *stub)
{
	mw_close(&stub->go_fd);
	if (stub->sp.pid > 0) {
		kill(stub->sp.pid, SIGKILL);
		while (waitpid(stub->sp.pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	stub->sp.pid = 0;
	mw_close(&stub->sp.pidfd);
	mw_close(&stub->sp.listen_fd);
}
