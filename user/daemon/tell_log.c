/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/tell_log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fnv.h"
#include "util/ratelimit.h"

#define OVERS_A_TICK 8

struct mw_log {
	const char *path;
	int fd; /* -1: no socket was to be had */
	struct mw_ratelimit *limit;
	__u64 lost, without_fields;
};

int mw_log_new(const char *journal_socket, struct mw_log **ret_log)
{
	struct mw_log *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	if (mw_ratelimit_new(&l->limit) < 0) {
		free(l);
		return -ENOMEM;
	}
	l->path = journal_socket;
	l->fd = mw_journal_open();
	*ret_log = l;
	return 0;
}

void mw_log_free(struct mw_log *l)
{
	if (!l)
		return;
	mw_close(&l->fd);
	mw_ratelimit_free(l->limit);
	free(l);
}

/* One write, only when stderr takes it now: O_NONBLOCK would be shared with whoever started us. */
static void plain(struct mw_log *l, bool journal, int priority, const char *text)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[1024];
	int n;

	if (journal)
		n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		n = snprintf(line, sizeof(line), "memweir: %s\n", text);
	if (n >= (int)sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	if ((poll(&p, 1, 0) <= 0 || write(STDERR_FILENO, line, (size_t)n) != n) && l)
		l->lost++;
}

static void out(struct mw_log *l, const struct mw_told_kind *kind, int priority, const struct mw_worker *w,
		const struct mw_fact *fact, const char *text)
{
	bool journal = mw_journal_on(STDERR_FILENO);
	struct mw_entry e;

	if (journal && l && l->fd >= 0) {
		mw_entry_make(&e, kind, priority, w, fact, text);
		if (mw_journal_send(l->fd, l->path, &e) == 0)
			return;
		l->without_fields++;
	}
	plain(l, journal, priority, text);
}

void mw_log_line(struct mw_log *l, const struct mw_told_kind *kind, const void *place, int priority,
		 const struct mw_worker *w, const struct mw_fact *fact, const char *text)
{
	/* By name, not by cgroup: who dies and comes back all the time is one worker. */
	struct mw_flood_key key = {.kind = w ? kind : place,
				   .id = w ? mw_fnv1a_text(w->name) : 0,
				   .name = w ? w->name : NULL};

	if (l && !(kind->flags & MW_TOLD_ALWAYS) && !mw_ratelimit_take(l->limit, &key, mw_now_ns()))
		return;
	out(l, kind, priority, w, fact, text);
}

/* Its kind, if it is a row of the table: a line about no worker was told apart by its place. */
static const struct mw_told_kind *row_of(const void *p)
{
	const struct mw_told_kind *k;

	for (size_t i = 0; (k = mw_told_at(i)); i++) {
		if (k == p)
			return k;
	}
	return NULL;
}

static void tell_over(struct mw_log *l, const struct mw_flood_over *o)
{
	const struct mw_told_kind *of = row_of(o->kind);
	struct mw_fact fact = {.suppressed = o->suppressed};
	char text[200];

	if (of) {
		fact.suppressed_kind = of->name;
		fact.worker = o->name;
		snprintf(text, sizeof(text),
			 "%llu more lines \"%s\" of worker %s suppressed: memweir events has the last", o->suppressed,
			 of->name, o->name);
	} else {
		snprintf(text, sizeof(text), "%llu more lines %s suppressed", o->suppressed,
			 o->kind ? "of the guard itself" : "of many workers");
	}
	out(l, mw_told_of("suppressed"), LOG_WARNING, NULL, &fact, text);
}

void mw_log_tick(struct mw_log *l, __u64 now_ns)
{
	struct mw_flood_over o;

	for (int i = 0; i < OVERS_A_TICK && mw_ratelimit_over(l->limit, now_ns, &o); i++)
		tell_over(l, &o);
}

struct mw_log_counts mw_log_counts(const struct mw_log *l)
{
	return (struct mw_log_counts){
		.lost = l->lost,
		.suppressed = mw_ratelimit_suppressed(l->limit),
		.without_fields = l->without_fields,
	};
}
