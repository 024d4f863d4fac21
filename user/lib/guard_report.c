// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Figures to the daemon. Nothing here waits: a report goes out in one call, and its answer is taken in a later one.
 * Without a thread, who looks (validate and so on) does it, once in some seconds.
 */
#include "lib/guard_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/client.h"
#include "lib/answer.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PATH	    "/v1/workers/self/figures"
#define NEXT_MAX_MS 600000 /* what the daemon may ask for */
#define REST_MS	    60000 /* after a daemon that does not want it */
#define AWAY_MS	    10000 /* after one that is not there: it may just be starting again */

/* -EAGAIN: its backlog is full; nobody waits for that. */
static int open_connection(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return TAKE_FD(fd);
}

static int send_figures(struct memweir_guard *g, const struct mw_figures *figures)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *request = NULL;
	char body[MW_FIGURES_TEXT_MAX];
	int n = mw_figures_text(figures, body, sizeof(body));

	if (n >= 0)
		n = mw_client_text("PUT", PATH, body, &request);
	if (n < 0)
		return n;
	fd = open_connection(g->socket);
	if (fd < 0)
		return fd;
	/* A socket takes more than this at once; one that does not is as good as full. */
	if (send(fd, request, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
		return -EAGAIN;
	g->figures.fd = TAKE_FD(fd);
	g->figures.pid = getpid();
	g->figures.asked_ns = mw_now_coarse_ns();
	return 1;
}

/* 0, or -errno and when to try again. */
static int judge_answer(struct mw_guard_figures *f, const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	unsigned int status = 0;
	__u64 next;

	sscanf(answer, "HTTP/1.%*1[01] %u", &status); /* NOLINT(cert-err34-c): 0 where there is none */
	if (status != 200) {
		f->next_ms = status == 503 && f->next_ms ? f->next_ms : REST_MS; /* too early */
		return status == 409 ? -EBUSY : status == 404 ? -ENOENT : status == 403 ? -EPERM : -EPROTO;
	}
	if (body && mw_answer_u64(body + 4, "/next_ms", &next) && next >= MW_FIGURES_NEXT_MS && next <= NEXT_MAX_MS)
		f->next_ms = (uint32_t)next;
	else
		f->next_ms = MW_FIGURES_NEXT_MS;
	return 0;
}

/* What has come, if it has. -EINPROGRESS: not yet. Of one that came in half the time to the next is not known. */
static int take_answer(struct mw_guard_figures *f)
{
	char answer[2048];
	ssize_t n;

	if (f->fd < 0)
		return 0;
	if (f->pid != getpid()) { /* our parent's */
		mw_close(&f->fd);
		return 0;
	}
	n = recv(f->fd, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR) &&
	    mw_now_coarse_ns() - f->asked_ns < MW_GUARD_ASK_MS * MW_NS_PER_MS)
		return -EINPROGRESS;
	mw_close(&f->fd);
	if (n <= 0) {
		f->next_ms = REST_MS;
		return -ETIMEDOUT;
	}
	answer[n] = '\0';
	return judge_answer(f, answer);
}

static int report(struct memweir_guard *g, uint64_t now_ns)
{
	struct mw_guard_figures *f = &g->figures;
	struct mw_figures figures;
	int r = take_answer(f);

	if (r == -EINPROGRESS)
		return 0; /* looked for again at the next call */
	if (f->asked_ns && now_ns < f->asked_ns + f->next_ms * MW_NS_PER_MS) {
		atomic_store_explicit(&f->due_ns, f->asked_ns + f->next_ms * MW_NS_PER_MS, memory_order_relaxed);
		return r;
	}
	if (!mw_guard_collect(g, &figures)) {
		atomic_store_explicit(&f->due_ns, now_ns + MW_NS_PER_S, memory_order_relaxed);
		return -ENODATA;
	}
	f->asked_ns = now_ns;
	r = send_figures(g, &figures);
	if (r < 0)
		f->next_ms = r == -EAGAIN ? MW_FIGURES_NEXT_MS : AWAY_MS;
	/* The answer is looked for at once by whoever comes next. */
	atomic_store_explicit(&f->due_ns, r < 0 ? now_ns + f->next_ms * MW_NS_PER_MS : 0, memory_order_relaxed);
	return r;
}

bool mw_guard_report_due(const struct memweir_guard *g)
{
	return mw_now_coarse_ns() >= atomic_load_explicit(&g->figures.due_ns, memory_order_relaxed);
}

/* Who is at it already does it for all; so a child that was forked meanwhile does not wait for who is not there. */
int memweir_guard_report(struct memweir_guard *g)
{
	bool daemon;
	int r;

	if (!mw_guard_report_due(g))
		return 0;
	pthread_mutex_lock(&g->lock);
	daemon = g->can & MEMWEIR_CAN_DAEMON;
	pthread_mutex_unlock(&g->lock);
	if (!daemon)
		return -EOPNOTSUPP;
	if (pthread_mutex_trylock(&g->figures.lock) != 0)
		return 0;
	r = report(g, mw_now_coarse_ns());
	pthread_mutex_unlock(&g->figures.lock);
	return r;
}
