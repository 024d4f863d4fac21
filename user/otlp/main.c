/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir-otlp: what the guard sees and does, to an OpenTelemetry collector. The daemon starts it with one socket
 * (wire.h) and the OTEL_ variables of its own environment; it reads certificates, gives up every right, and ends with
 * the daemon. Nobody waits for it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "otlp/document.h"
#include "otlp/program.h"
#include "util/clock.h"
#include "util/confine.h"

#define MEMORY_MAX   (128U << 20) /* queues may hold 24 MiB, a request and its compressed copy 3 each, TLS the rest */
#define RESOURCE_MAX (16U << 10)
#define DESCRIPTORS  64

static const char *from_environment(const char *name, void *arg)
{
	(void)arg;
	return getenv(name);
}

static void say(int priority, const char *text)
{
	struct mw_otlp_report r = {.kind = MW_OTLP_SAYS, .priority = priority};

	snprintf(r.text, sizeof(r.text), "%.*s", MW_OTLP_TEXT - 1, text);
	(void)!send(MW_OTLP_FD, &r, sizeof(r), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* For good. Threads are curl's, which looks names up in one. */
static int give_up(struct mw_error *err)
{
	const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX}, files = {DESCRIPTORS, DESCRIPTORS}, none = {0, 0};
	int r;

	mw_expendable();
	setpriority(PRIO_PROCESS, 0, 10);
	r = mw_confine_rights(err);
	if (r < 0)
		return r;
#if !defined(__SANITIZE_ADDRESS__) /* which maps terabytes */
	if (setrlimit(RLIMIT_DATA, &memory))
		return mw_fail(err, -errno, "memory cannot be bounded: %s", strerror(errno));
#else
	(void)memory;
#endif
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* headers may hold keys */
	/* After the change of users, which forgets it; the end of the socket says the same. */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	return 0;
}

static int set_up(struct mw_otlp_program *p, struct mw_error *err)
{
	int r;

	mw_settings_read(from_environment, NULL, &p->settings);
	p->resource = MW_OUT(RESOURCE_MAX);
	mw_resource_write(&p->resource, &p->settings, from_environment, NULL);
	if (p->resource.failed)
		return mw_fail(err, -E2BIG, "OTEL_RESOURCE_ATTRIBUTES: longer than %u bytes", RESOURCE_MAX);
	for (enum mw_otlp_signal s = 0; s < MW_OTLP_SIGNALS; s++) {
		struct mw_destination *d = &p->settings.signals[s];

		if (mw_exporter_init(&p->exporters[s], s, d, p->resource.data) < 0)
			return mw_fail(err, -ENOMEM, "no memory for queues");
	}
	r = mw_sender_new(&p->settings, &p->sender, err);
	return r < 0 ? r : mw_scrape_init(&p->scrape);
}

static void tear_down(struct mw_otlp_program *p)
{
	mw_sender_free(p->sender);
	mw_scrape_free(&p->scrape);
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++)
		mw_exporter_free(&p->exporters[i]);
	mw_out_free(&p->resource);
}

int main(int argc, char **argv)
{
	static struct mw_otlp_program p = {.sock = MW_OTLP_FD, .scrape = {.fd = -1}};
	struct mw_error err = {0};
	socklen_t size = sizeof(int);
	int type = 0, r;

	(void)argv;
	if (argc > 1 || getsockopt(MW_OTLP_FD, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_SEQPACKET) {
		fputs("memweir-otlp: memweir-daemon starts it, see memweir-otlp(8); it takes no arguments\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	r = set_up(&p, &err);
	if (r >= 0)
		r = give_up(&err);
	for (unsigned i = 0; i < p.settings.n_warnings; i++)
		say(LOG_WARNING, p.settings.warnings[i]);
	if (r < 0) {
		say(LOG_ERR, err.text[0] ? err.text : strerror(-r));
		tear_down(&p);
		return 1;
	}
	mw_otlp_loop(&p);
	tear_down(&p);
	return 0;
}
