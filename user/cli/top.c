/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir top: the workers as they are, live. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/top_screen.h"
#include "cli/top_talk.h"
#include "cli/verb.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/table.h"

struct top_values {
	bool once, reverse;
	const char *sort, *filter, *only_class;
};

static const struct mw_option rows[] = {
	{"once", 'b', MW_OPT_FLAG, offsetof(struct top_values, once), NULL, "print one table and end"},
	{"sort", 's', MW_OPT_TEXT, offsetof(struct top_values, sort), "KEY",
	 "attention (as it is), usage, percent, growth, stalls, name or class"},
	{"reverse", 'r', MW_OPT_FLAG, offsetof(struct top_values, reverse), NULL, "the other way round"},
	{"filter", 'f', MW_OPT_TEXT, offsetof(struct top_values, filter), "TEXT",
	 "who has it in name, class, level or verdict"},
	{"class", 'c', MW_OPT_TEXT, offsetof(struct top_values, only_class), "CLASS", "workers of one class"},
	{NULL},
};

enum {
	SECOND_MS = 1000,
	STALE_MS = 7000, /* health is asked each 5 s: nobody who lives is silent for longer */
};

static __u64 now_ms(void)
{
	return mw_now_ns() / MW_NS_PER_MS;
}

static __u64 wall_ms(void)
{
	return mw_wall_ns() / MW_NS_PER_MS;
}

static int choose(const struct mw_cli *cli, struct mw_top *m)
{
	const struct top_values *v = cli->values;

	mw_top_init(m);
	gethostname(m->host.name, sizeof(m->host.name) - 1);
	if (v->sort && mw_top_sort_parse(v->sort, &m->sort) < 0)
		return mw_say_usage(cli, "sort %s: expected attention, usage, percent, growth, stalls, name or class",
				    v->sort);
	m->reverse = v->reverse;
	snprintf(m->filter, sizeof(m->filter), "%s", v->filter ? v->filter : "");
	snprintf(m->only_class, sizeof(m->only_class), "%s", v->only_class ? v->only_class : "");
	return 0;
}

/* ---- one table ---- */

/* When those that grow meet their limits: nothing else says it. */
static void ask_limits(const struct mw_cli *cli, struct mw_top *m)
{
	for (size_t i = 0; i < m->n_rows && i < MW_TOP_LOOKED_AT; i++) {
		_cleanup_free_ char *path = mw_call_path("/v1/workers", m->rows[i]->name, "level");
		_cleanup_answer_ struct mw_answer a = {0};
		struct mw_error err = {0};

		if (m->rows[i]->verdict > MW_STEADY && path &&
		    mw_call_quiet(cli, "GET", path, NULL, MW_CALL_MS, &a, &err) == 0)
			mw_top_levelled(m, a.doc, wall_ms());
	}
}

static int once(const struct mw_cli *cli, struct mw_top *m)
{
	_cleanup_answer_ struct mw_answer a = {0};
	size_t width = mw_terminal_width(stdout);

	if (mw_call(cli, "GET", "/v1/workers", NULL, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	if (mw_top_listed(m, a.doc, wall_ms(), true) < 0) {
		mw_say_error(cli, "the daemon's answer has no workers");
		return MW_EXIT_FAILURE;
	}
	mw_top_order(m);
	ask_limits(cli, m);
	mw_top_order(m);
	return mw_top_print(m, width ? (int)width : 132, mw_locale_utf8(), stdout) ? MW_EXIT_FAILURE : MW_EXIT_OK;
}

/* ---- the loop ---- */

static void look_at_host(struct mw_top *m)
{
	_cleanup_close_ int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = '\0';
	mw_top_meminfo(m, text);
}

static void each_second(struct mw_top_talk *t, __u64 now)
{
	if (t->second_ms && now - t->second_ms < SECOND_MS)
		return;
	t->second_ms = now;
	t->dirty = true;
	look_at_host(&t->model);
	mw_top_talk_ask(t, now);
}

static void draw(struct mw_top_talk *t)
{
	__u64 now = now_ms(), heard = mw_feed_heard_ms(t->feed);
	struct mw_top_link link = {.now_ms = wall_ms()};
	bool silent = heard && now - heard > STALE_MS;
	int width, height;

	link.stale = !mw_feed_connected(t->feed) || silent;
	link.since_ms = heard && link.stale ? link.now_ms - (now - heard) : 0;
	snprintf(link.why, sizeof(link.why), "%s",
		 mw_feed_connected(t->feed) ? "the daemon does not answer" : mw_feed_why(t->feed));
	mw_top_order(&t->model);
	mw_screen_size(&width, &height);
	mw_canvas_begin(&t->canvas, width, height);
	mw_top_draw(&t->canvas, &t->model, &t->ui, &link, t->document, t->marks);
	mw_screen_show(&t->canvas, t->again);
	t->dirty = t->again = false;
}

/* False: that was the end. */
static bool on_keys(struct mw_top_talk *t)
{
	unsigned key;

	while ((key = mw_screen_key())) {
		mw_top_order(&t->model);
		t->dirty = true;
		switch (mw_top_key(&t->model, &t->ui, key)) {
		case MW_DO_QUIT:
			return false;
		case MW_DO_REPAINT:
			t->again = true;
			break;
		case MW_DO_OPEN:
			mw_top_talk_worker(t, now_ms());
			break;
		case MW_DO_DRY:
			mw_top_talk_act(t, true, now_ms());
			break;
		case MW_DO_ACT:
			mw_top_talk_act(t, false, now_ms());
			break;
		case MW_DO_DRAW:
		case MW_DO_NOTHING:
			break;
		}
	}
	return true;
}

/* False: it ends. */
static bool on_signal(struct mw_top_talk *t, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		t->dirty = true;
		if (info.ssi_signo == SIGTSTP) {
			mw_screen_stop();
			t->again = true;
		} else if (info.ssi_signo == SIGCONT) {
			t->again = true; /* whoever stopped it may have left something on the terminal */
		} else if (info.ssi_signo != SIGWINCH) {
			t->signal = (int)info.ssi_signo;
			return false;
		}
	}
	return true;
}

enum { KEYS, SIGNALS, FEED, MAX_FDS = FEED + MW_FEED_FDS };

static void loop(struct mw_top_talk *t, int signals)
{
	for (;;) {
		struct pollfd fds[MAX_FDS] = {{.fd = STDIN_FILENO, .events = POLLIN},
					      {.fd = signals, .events = POLLIN}};
		int n = FEED + mw_feed_polls(t->feed, fds + FEED);
		__u64 now = now_ms(), due = t->second_ms + SECOND_MS;

		if (poll(fds, (nfds_t)n, due > now ? (int)(due - now) : 0) < 0 && errno != EINTR)
			return;
		if (fds[SIGNALS].revents && !on_signal(t, signals))
			return;
		if ((fds[KEYS].revents & POLLIN) && !on_keys(t))
			return;
		if (fds[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
			return; /* the terminal has gone */
		mw_feed_step(t->feed, now_ms());
		each_second(t, now_ms());
		if (t->dirty)
			draw(t);
	}
}

/* Those that end it or change the screen are read in the loop, so that the terminal is always given back. */
static int open_signals(sigset_t *ret_set)
{
	static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

	sigemptyset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		sigaddset(ret_set, ours[i]);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, ret_set, NULL);
	return signalfd(-1, ret_set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int live(struct mw_top_talk *t)
{
	_cleanup_close_ int signals = -1;
	struct mw_error err = {0};
	sigset_t set;

	signals = open_signals(&set);
	if (mw_top_talk_begin(t) < 0 || signals < 0)
		return MW_EXIT_FAILURE;
	if (mw_screen_open(&err) < 0) {
		mw_say_error(t->cli, "%s", err.text);
		return MW_EXIT_USAGE;
	}
	mw_screen_can(&t->canvas.utf8, &t->canvas.blocks);
	loop(t, signals);
	mw_screen_close();
	if (t->signal) {
		/* Whoever started it sees what ended it. */
		signal(t->signal, SIG_DFL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		raise(t->signal);
	}
	return MW_EXIT_OK;
}

static int top_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct top_values *v = cli->values;
	struct mw_top_talk t = {.cli = cli};
	int r = choose(cli, &t.model);

	(void)argc, (void)argv;
	if (!r)
		r = v->once ? once(cli, &t.model) : live(&t);
	mw_top_talk_end(&t);
	mw_canvas_free(&t.canvas);
	mw_top_free(&t.model);
	return r;
}

const struct mw_verb mw_verb_top = {
	.name = "top",
	.args = "[--once] [--sort KEY] [--reverse] [--filter TEXT] [--class CLASS]",
	.summary = "the workers live: who needs attention first, and why",
	.notes = "? lists the keys.",
	.options = rows,
	.run = top_run,
};
