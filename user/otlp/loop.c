/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What comes in is queued, what is due is sent, how it goes is told. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "otlp/program.h"
#include "otlp/record.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define RECORDS_A_TURN 256
#define LONGEST_MS     1000
#define ITEM_MAX       (64U << 10)
#define LAST_RESORT_S  5 /* SIGALRM ends us then */

static volatile sig_atomic_t stop_wanted;

static void on_stop(int sig)
{
	(void)sig;
	stop_wanted = 1;
}

static __u32 chance(void)
{
	__u32 n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != sizeof(n))
		n = (__u32)mw_now_ns();
	return n;
}

static void end_soon(struct mw_otlp_program *p)
{
	if (p->ending)
		return;
	p->ending = true;
	alarm(LAST_RESORT_S); /* whatever happens: no orphan stays */
	p->end_ns = mw_now_ns() + MW_OTLP_FLUSH_NS;
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++)
		p->exporters[i].ending = true;
}

static void take_record(struct mw_otlp_program *p, const char *text, size_t n, int fd)
{
	_cleanup_(mw_out_free) struct mw_out o = MW_OUT(ITEM_MAX);
	enum mw_otlp_signal s = MW_OTLP_LOGS;
	int r = mw_record_write(text, n, mw_wall_ns(), &s, &o);

	if (r == 1 && fd >= 0 && p->settings.signals[MW_OTLP_METRICS].on) {
		mw_scrape_begin(&p->scrape, fd, mw_wall_ns());
		return;
	}
	mw_close(&fd);
	if (r < 0)
		p->bad_records++;
	else if (r == 0 && p->settings.signals[s].on)
		mw_exporter_add(&p->exporters[s], o.data, o.size, 1, mw_now_ns());
}

/* The descriptor that came along, or -1. */
static int passed_fd(struct msghdr *msg)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void read_records(struct mw_otlp_program *p)
{
	static char text[MW_OTLP_RECORD_MAX];

	for (unsigned i = 0; i < RECORDS_A_TURN && !p->ending; i++) {
		char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
		struct iovec io = {text, sizeof(text)};
		struct msghdr msg = {.msg_iov = &io,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(p->sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			return end_soon(p); /* the daemon is gone */
		p->records++;
		take_record(p, text, (size_t)n, passed_fd(&msg));
	}
}

static void report(struct mw_otlp_program *p, struct mw_otlp_report *r)
{
	r->taken = p->records;
	r->unusable = p->bad_records + p->scrape.metrics.left_out + p->scrape.failures;
	if (!p->ending)
		(void)!send(p->sock, r, sizeof(*r), MSG_DONTWAIT | MSG_NOSIGNAL); /* the next one says the same */
}

static void on_sent(enum mw_otlp_signal s, const struct mw_attempt *a, void *arg)
{
	struct mw_otlp_program *p = arg;

	mw_exporter_end(&p->exporters[s], a, mw_now_ns(), chance());
}

static void send_due(struct mw_otlp_program *p, __u64 now_ns)
{
	static const struct mw_attempt failed = {.broken = true,
						 .retry_after_ms = MW_RETRY_AFTER_NONE,
						 .why = "there is no memory for a request"};

	for (enum mw_otlp_signal s = 0; s < MW_OTLP_SIGNALS; s++) {
		struct mw_exporter *e = &p->exporters[s];

		if (mw_exporter_due(e) > now_ns)
			continue;
		if (mw_exporter_begin(e) < 0 || mw_sender_start(p->sender, s, e->body, e->body_size) < 0)
			mw_exporter_end(e, &failed, now_ns, chance());
	}
}

/* The daemon is asked for its figures; they come as a record with a descriptor. What waits of earlier ones is old. */
static void ask_figures(struct mw_otlp_program *p, __u64 now_ns)
{
	struct mw_otlp_report ask = {.kind = MW_OTLP_ASKS};
	const struct mw_destination *d = &p->settings.signals[MW_OTLP_METRICS];

	if (!d->on || p->ending || now_ns < p->scrape_due_ns)
		return;
	p->scrape_due_ns = now_ns + d->delay_ms * MW_NS_PER_MS;
	report(p, &ask);
}

static int wait_ms(const struct mw_otlp_program *p, __u64 now_ns)
{
	__u64 next = now_ns + LONGEST_MS * MW_NS_PER_MS;

	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++) {
		__u64 due = mw_exporter_due(&p->exporters[i]);

		next = due < next ? due : next;
	}
	if (p->settings.signals[MW_OTLP_METRICS].on && !p->ending && p->scrape_due_ns < next)
		next = p->scrape_due_ns;
	if (p->ending && p->end_ns < next)
		next = p->end_ns;
	return next <= now_ns ? 0 : (int)((next - now_ns) / MW_NS_PER_MS) + 1;
}

static bool is_done(const struct mw_otlp_program *p, __u64 now_ns)
{
	bool waits = false;

	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++)
		waits |= p->exporters[i].queue.count > 0;
	return p->ending && (!waits || now_ns >= p->end_ns);
}

void mw_otlp_loop(struct mw_otlp_program *p)
{
	const struct sigaction stop = {.sa_handler = on_stop};
	struct mw_otlp_report r;
	__u64 now_ns;

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	while (!is_done(p, now_ns = mw_now_ns())) {
		int fds[] = {p->ending ? -1 : p->sock, p->scrape.fd};

		ask_figures(p, now_ns);
		send_due(p, now_ns);
		if (mw_news_due(&p->news, p->exporters, now_ns, &r))
			report(p, &r);
		mw_sender_run(p->sender, fds, ARRAY_SIZE(fds), wait_ms(p, now_ns), on_sent, p);
		read_records(p);
		mw_scrape_read(&p->scrape, &p->exporters[MW_OTLP_METRICS], mw_now_ns());
		if (stop_wanted)
			end_soon(p);
	}
}
