/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The event loop: which descriptor, timer or signal calls which step. Nothing here decides. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/guard.h"
#include "daemon/kick.h"
#include "daemon/recording.h"
#include "daemon/otlp.h"
#include "daemon/unit.h"
#include "daemon/serve_tcp.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define ACCURACY_US 1000 /* timers may be late by this, to be served together */
#define DONE_TURN_NS                                                                                                   \
	(10 * MW_NS_PER_MS) /* for what action threads have done: one may bring the next, and others wait */

static void consume_ring(struct mw_guard *g)
{
	int r = mw_kernel_events_consume(g->kernel, mw_guard_on_event, g);

	if (r < 0 && r != -EAGAIN && r != -EOPNOTSUPP)
		mw_say(g->tell, LOG_ERR, "events: the ring could not be read: %s", strerror(-r));
}

static int on_ring(sd_event_source *src, int fd, uint32_t revents, void *arg)
{
	(void)src, (void)fd, (void)revents;
	consume_ring(arg);
	return 0;
}

static int on_breaker(sd_event_source *src, int fd, uint32_t revents, void *arg)
{
	struct mw_guard *g = arg;
	struct mw_breaker_report report;

	(void)src, (void)fd, (void)revents;
	while (mw_breaker_next(g->breaker, &report))
		mw_guard_on_report(g, &report);
	return 0;
}

static int on_actions(sd_event_source *src, int fd, uint32_t revents, void *arg)
{
	struct mw_guard *g = arg;
	struct mw_action_result result;
	__u64 until_ns = mw_now_ns() + DONE_TURN_NS;

	(void)src, (void)fd, (void)revents;
	while (mw_now_ns() < until_ns && mw_actions_next(g->actions, &result)) {
		mw_guard_on_done(g, &result);
		mw_keeper_beat(g->keeper, mw_now_ns()); /* making a cgroup takes a while on a slow machine */
	}
	return 0; /* what is left keeps it readable */
}

/* cgroup.events of some worker changed: it may have become empty. */
static int on_inotify(sd_event_source *src, int fd, uint32_t revents, void *arg)
{
	char buf[sizeof(struct inotify_event) + NAME_MAX + 1]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	struct mw_guard *g = arg;
	ssize_t n;

	(void)src, (void)revents;
	consume_ring(g); /* the exit status comes this way and was sent first */
	n = read(fd, buf, sizeof(buf)); /* a few at a time: a thousand that end at once must not hold up the loop */
	for (char *p = buf; n > 0 && p < buf + n;) {
		const struct inotify_event *e = (const struct inotify_event *)p;

		p += sizeof(*e) + e->len;
		mw_life_watch_event(g, e->wd, e->mask);
	}
	return 0;
}

/* Serve what is due. With somebody connected it is done after every event: answers made meanwhile have to leave. */
static int serve(struct mw_guard *g)
{
	int ms;

	mw_kick_on();
	ms = mw_server_run(g->server);
	mw_kick_off();

	sd_event_source_set_enabled(g->http_post, mw_server_connected(g->server) ? SD_EVENT_ON : SD_EVENT_OFF);
	if (ms < 0)
		return sd_event_source_set_enabled(g->http_timer, SD_EVENT_OFF);
	sd_event_source_set_time_relative(g->http_timer, (uint64_t)ms * 1000);
	return sd_event_source_set_enabled(g->http_timer, SD_EVENT_ONESHOT);
}

static int on_http(sd_event_source *src, int fd, uint32_t revents, void *arg)
{
	struct mw_guard *g = arg;

	(void)src, (void)fd, (void)revents;
	consume_ring(g); /* what is asked for next may be about a process that has just begun */
	return sd_event_source_get_enabled(g->http_post, NULL) > 0 ? 0 : serve(g); /* after_event's, if that is on */
}

static int after_event(sd_event_source *src, void *arg)
{
	(void)src;
	return serve(arg);
}

/* After every event: who is still to be ended gets the next turn. */
static int after_turn(sd_event_source *src, void *arg)
{
	struct mw_guard *g = arg;

	(void)src;
	if (mw_life_turn(g))
		mw_loop_go_on(g);
	return 0;
}

static int on_unfinished(sd_event_source *src, void *arg)
{
	(void)src;
	mw_life_finish(arg);
	mw_turns_run(arg);
	mw_live_turn(arg);
	return 0;
}

static int on_http_timer(sd_event_source *src, uint64_t usec, void *arg)
{
	(void)src, (void)usec;
	return serve(arg);
}

static int again(sd_event_source *src, __u64 interval_ns)
{
	int r = sd_event_source_set_time_relative(src, interval_ns / 1000);

	return r < 0 ? r : sd_event_source_set_enabled(src, SD_EVENT_ONESHOT);
}

/*
 * The next look comes after its interval, and not before we have rested three times as long as this one took: on a host
 * that has no time for us, looking must not keep us from everything else.
 */
static int look_again(sd_event_source *src, __u64 began_ns, __u64 interval_ns)
{
	__u64 rest_ns = 3 * (mw_now_ns() - began_ns);

	return again(src, rest_ns > interval_ns ? rest_ns : interval_ns);
}

static void note_late(struct mw_guard *g, __u64 now_ns, uint64_t usec)
{
	mw_pause_count(&g->timings.late, now_ns > usec * 1000 ? now_ns - usec * 1000 : 0);
}

static int on_sample(sd_event_source *src, uint64_t usec, void *arg)
{
	struct mw_guard *g = arg;
	__u64 began = mw_now_ns();

	note_late(g, began, usec);
	consume_ring(g); /* who has changed a limit, before the change itself is seen */
	mw_guard_sample(g, MW_SAMPLE_MOVED, mw_now_ns());
	mw_pause_count(&g->timings.samples, mw_now_ns() - began);
	return look_again(src, began, g->cfg.monitor.sample_interval_ns);
}

static int on_check(sd_event_source *src, uint64_t usec, void *arg)
{
	struct mw_guard *g = arg;
	__u64 began = mw_now_ns();

	note_late(g, began, usec);
	consume_ring(g);
	mw_otlp_check_begins(g);
	mw_guard_sample(g, MW_SAMPLE_ALL, mw_now_ns());
	mw_guard_check(g, mw_now_ns());
	mw_pause_count(&g->timings.checks, mw_now_ns() - began);
	mw_otlp_check_ends(g);
	return look_again(src, began, g->cfg.monitor.check_interval_ns);
}

static int on_beat(sd_event_source *src, uint64_t usec, void *arg)
{
	struct mw_guard *g = arg;

	note_late(g, mw_now_ns(), usec);
	mw_keeper_beat(g->keeper, mw_now_ns());
	consume_ring(g); /* exit statuses, before a worker is ended without */
	mw_life_tick(g, mw_now_ns());
	mw_place_tick(g);
	mw_act_tick(g);
	mw_hold_tick(g, mw_now_ns());
	mw_unit_tick(g, mw_now_ns());
	mw_newcomers_tick(g);
	mw_objects_tick(g, mw_now_ns());
	mw_serve_tcp_tick(g, mw_now_ns());
	mw_otlp_tick(g, mw_now_ns());
	mw_teller_tick(g->tell, mw_now_ns());
	return again(src, MW_KEEPER_HEARTBEAT_NS);
}

static int on_keeper_gone(sd_event_source *src, int fd, uint32_t revents, void *arg)
{
	struct mw_guard *g = arg;
	struct mw_error err = {0};
	int r;

	(void)fd, (void)revents;
	sd_event_source_set_enabled(src, SD_EVENT_OFF);
	if (g->stopping)
		return 0;
	if (getenv("NOTIFY_SOCKET")) {
		/* It was the service's main process: systemd starts both again, and what is limited is lifted until
		 * then. */
		mw_say(g->tell, LOG_ERR, "the keeper is dead: stopping, the service manager starts both again");
		return sd_event_exit(g->event, 1);
	}
	r = mw_keeper_replace(g->keeper, &err);
	if (r < 0)
		mw_say(g->tell, LOG_ERR, "the keeper is dead and could not be replaced: %s", err.text);
	else
		mw_say(g->tell, LOG_WARNING, "the keeper was dead: another one is in place");
	if (r >= 0 && mw_keeper_fd(g->keeper) >= 0)
		sd_event_add_io(g->event, NULL, mw_keeper_fd(g->keeper), EPOLLIN | EPOLLHUP, on_keeper_gone, g);
	return 0;
}

static int on_stop(sd_event_source *src, const struct signalfd_siginfo *si, void *arg)
{
	struct mw_guard *g = arg;

	(void)src;
	mw_say(g->tell, LOG_INFO, "SIG%s: stopping; workers go on under memory.max", sigabbrev_np((int)si->ssi_signo));
	g->stopping = true;
	mw_last_good_forget(g); /* an orderly end: whoever comes next reads the files */
	return sd_event_exit(g->event, 0);
}

static int on_hup(sd_event_source *src, const struct signalfd_siginfo *si, void *arg)
{
	struct mw_guard *g = arg;
	struct mw_error err = {0};

	(void)src, (void)si;
	if (mw_guard_reload(g, &err) < 0)
		mw_say(g->tell, LOG_ERR, "reload: nothing changed: %s", err.text);
	mw_keeper_beat(g->keeper, mw_now_ns());
	return 0;
}

static int add_timer(struct mw_guard *g, __u64 in_ns, sd_event_time_handler_t fn, sd_event_source **ret)
{
	return sd_event_add_time_relative(g->event, ret, CLOCK_MONOTONIC, in_ns / 1000, ACCURACY_US, fn, g);
}

static int add_descriptors(struct mw_guard *g)
{
	const struct {
		int fd;
		sd_event_io_handler_t fn;
	} rows[] = {
		{mw_kernel_events_fd(g->kernel), on_ring}, {mw_breaker_fd(g->breaker), on_breaker},
		{mw_actions_fd(g->actions), on_actions},   {g->inotify_fd, on_inotify},
		{mw_server_epoll_fd(g->server), on_http},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r >= 0; i++) {
		if (rows[i].fd >= 0)
			r = sd_event_add_io(g->event, NULL, rows[i].fd, EPOLLIN, rows[i].fn, g);
	}
	/* A keeper's socket carries nothing to us: only its end. */
	if (r >= 0 && mw_keeper_fd(g->keeper) >= 0)
		r = sd_event_add_io(g->event, NULL, mw_keeper_fd(g->keeper), EPOLLIN | EPOLLHUP, on_keeper_gone, g);
	return r;
}

static int add_signals(struct mw_guard *g)
{
	static const int stops[] = {SIGTERM, SIGINT};
	sigset_t all;
	int r;

	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	sigaddset(&all, SIGHUP);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(g->event, NULL, SIGHUP, on_hup, g);
	for (size_t i = 0; i < ARRAY_SIZE(stops) && r >= 0; i++)
		r = sd_event_add_signal(g->event, NULL, stops[i], on_stop, g);
	return r;
}

void mw_loop_rearm(struct mw_guard *g)
{
	if (g->sample_timer)
		again(g->sample_timer, g->cfg.monitor.sample_interval_ns);
	if (g->check_timer)
		again(g->check_timer, g->cfg.monitor.check_interval_ns);
}

void mw_loop_look_in(struct mw_guard *g, __u64 in_ns)
{
	uint64_t due;

	if (g->sample_timer && sd_event_source_get_time(g->sample_timer, &due) >= 0 &&
	    due > (mw_now_ns() + in_ns) / 1000)
		again(g->sample_timer, in_ns);
}

void mw_loop_go_on(struct mw_guard *g)
{
	if (g->unfinished)
		sd_event_source_set_enabled(g->unfinished, SD_EVENT_ONESHOT);
}

/* sd_event_loop, with a clock: each callback is a turn. */
static int run(struct mw_guard *g)
{
	int r = 0, code = 0;

	g->opened_wall_ns = mw_wall_ns();
	while (r >= 0 && sd_event_get_state(g->event) != SD_EVENT_FINISHED) {
		__u64 began;

		r = sd_event_prepare(g->event);
		if (r == 0)
			r = sd_event_wait(g->event, UINT64_MAX);
		if (r <= 0)
			continue;
		began = mw_now_ns();
		r = sd_event_dispatch(g->event);
		mw_pause_count(&g->timings.turns, mw_now_ns() - began);
	}
	return r < 0 ? r : sd_event_get_exit_code(g->event, &code) < 0 ? 0 : code;
}

int mw_loop_run(struct mw_guard *g)
{
	int r = sd_event_new(&g->event);

	if (r >= 0)
		r = add_signals(g);
	if (r >= 0)
		r = add_descriptors(g);
	if (r >= 0 && g->member_gid != (gid_t)-1) /* root could do worse than hold us up */
		r = mw_kick_init();
	if (r >= 0)
		r = add_timer(g, 0, on_sample, &g->sample_timer);
	if (r >= 0)
		r = add_timer(g, g->cfg.monitor.check_interval_ns, on_check, &g->check_timer);
	if (r >= 0)
		r = add_timer(g, 0, on_beat, NULL);
	if (r >= 0)
		r = add_timer(g, 0, on_http_timer, &g->http_timer);
	if (r >= 0)
		r = sd_event_add_defer(g->event, &g->unfinished, on_unfinished, g);
	if (r >= 0)
		r = sd_event_add_post(g->event, NULL, after_turn, g);
	if (r >= 0)
		r = sd_event_add_post(g->event, &g->http_post, after_event, g);
	if (r >= 0)
		r = run(g);
	if (r < 0)
		mw_say(g->tell, LOG_ERR, "event loop: %s", strerror(-r));
	mw_pacer_close(g);
	mw_newcomers_close(g);
	g->sample_timer = sd_event_source_disable_unref(g->sample_timer);
	g->check_timer = sd_event_source_disable_unref(g->check_timer);
	g->http_timer = sd_event_source_disable_unref(g->http_timer);
	g->unfinished = sd_event_source_disable_unref(g->unfinished);
	g->http_post = sd_event_source_disable_unref(g->http_post);
	g->event = sd_event_unref(g->event);
	return r < 0 ? 1 : r;
}
