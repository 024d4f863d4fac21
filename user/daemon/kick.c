/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/kick.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define AFTER_NS                                                                                                       \
	(2 * MW_NS_PER_MS) /* all connections may do it at once: together well below the second the keeper waits */

static timer_t timer;
static bool ready;

/* Its coming is all. */
static void nothing(int sig)
{
	(void)sig;
}

int mw_kick_init(void)
{
	struct sigaction act = {.sa_handler = nothing}; /* no SA_RESTART */
	struct sigevent to = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM, ._sigev_un._tid = gettid()};

	if (ready)
		return 0;
	if (sigaction(SIGALRM, &act, NULL) || timer_create(CLOCK_MONOTONIC, &to, &timer))
		return -errno;
	ready = true;
	return 0;
}

static void set(__u64 ns)
{
	struct timespec in = {.tv_nsec = (long)ns};
	struct itimerspec every = {in, in};

	if (ready)
		timer_settime(timer, 0, &every, NULL);
}

void mw_kick_on(void)
{
	set(AFTER_NS);
}

void mw_kick_off(void)
{
	set(0);
}
