// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Enrolling: which limits this process has, and from whom. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sized.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define CACHE_NS (100 * MW_NS_PER_MS)

static bool is_plain(const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '\\' || *c == '/')
			return false;
	}
	return *text;
}

/* Text of the caller's, or of the environment, or a word of ours; into the guard's own. */
static int take_text(const char *theirs, const char *variable, const char *otherwise, char *ret, size_t size)
{
	const char *text = theirs ? theirs : NULL;

	if (!text && variable)
		text = getenv(variable);
	if (!text || (!theirs && !*text))
		text = otherwise;
	return (size_t)snprintf(ret, size, "%s", text) < size ? 0 : -EINVAL;
}

static int check_figures(const struct memweir_guard_options *o)
{
	if (o->hibernate_threshold != 0 && !(o->hibernate_threshold >= 0.1 && o->hibernate_threshold <= 1))
		return -EINVAL;
	if (o->max_heap_bytes && o->max_bin_heap_bytes > o->max_heap_bytes &&
	    o->max_bin_heap_bytes != MEMWEIR_UNLIMITED)
		return -EINVAL;
	return 0;
}

static int take_options(struct memweir_guard *g, const struct memweir_guard_options *from)
{
	struct memweir_guard_options *o = &g->options;
	int r = mw_sized_in(o, sizeof(*o), from);

	if (r >= 0)
		r = check_figures(o);
	if (r >= 0)
		r = take_text(o->class_name, "MEMWEIR_CLASS", "generic", g->class_name, sizeof(g->class_name));
	if (r >= 0)
		r = take_text(o->name, NULL, "", g->name, sizeof(g->name));
	if (r >= 0)
		r = take_text(o->socket_path, "MEMWEIR_SOCKET", MW_GUARD_SOCKET, g->socket, sizeof(g->socket));
	if (r >= 0)
		r = take_text(o->root, NULL, "", g->root, sizeof(g->root));
	if (r >= 0 && (!is_plain(g->class_name) || (g->name[0] && !is_plain(g->name))))
		r = -EINVAL;
	g->cache_ns = o->cache_ns ? o->cache_ns : CACHE_NS;
	return r;
}

/* In a worker: its limits. In none: become one, unless a run has put it where it is, or nobody wants that. */
static int ask_daemon(struct memweir_guard *g)
{
	int r = mw_guard_ask(g);

	if (r == -ENOENT && !getenv("MEMWEIR_WORKER") && !(g->options.flags & MEMWEIR_GUARD_NO_MOVE)) {
		r = mw_guard_join(g);
		if (r >= 0)
			r = mw_guard_ask(g);
	}
	if (r >= 0)
		mw_guard_tighten(g);
	return r;
}

static int find_limits(struct memweir_guard *g)
{
	int r = -ENOENT;

	snprintf(g->why_tighten, sizeof(g->why_tighten), "the limits are the class's");
	if (g->options.flags & MEMWEIR_GUARD_NO_DAEMON)
		snprintf(g->why_daemon, sizeof(g->why_daemon), "it was not asked, as the program wants it");
	else
		r = ask_daemon(g);
	if (r < 0)
		r = mw_guard_builtin_limits(g);
	if (r < 0)
		return r;
	if (mw_guard_has_peak(g))
		g->can |= MEMWEIR_CAN_PEAK;
	if ((g->options.flags & MEMWEIR_GUARD_REQUIRE_ENFORCEMENT) && !mw_guard_enforced(g))
		return -EOPNOTSUPP;
	return 0;
}

static void guard_freep(struct memweir_guard **g)
{
	memweir_guard_free(*g);
}

static struct memweir_guard *guard_new(void)
{
	struct memweir_guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	pthread_mutex_init(&g->lock, NULL);
	pthread_mutex_init(&g->notes_lock, NULL);
	pthread_cond_init(&g->notes_idle, NULL);
	pthread_mutex_init(&g->figures.lock, NULL);
	g->figures.fd = -1;
	g->pressure_fd = g->poll_fd = -1;
	g->meter.dir_fd = g->meter.current_fd = g->meter.swap_fd = g->meter.stat_fd = g->meter.max_fd = -1;
	for (unsigned int i = 0; i < MW_GUARD_REQUESTS; i++)
		g->requests[i].peak_fd = -1;
	return g;
}

int memweir_guard_enrol(const struct memweir_guard_options *options, struct memweir_guard **ret_guard)
{
	_cleanup_(guard_freep) struct memweir_guard *g = guard_new();
	uint64_t answer;
	int r;

	if (!g)
		return -ENOMEM;
	r = take_options(g, options);
	if (r >= 0)
		r = mw_meter_open(&g->meter, g->root);
	if (r >= 0)
		r = find_limits(g);
	if (r >= 0)
		r = mw_guard_look(g, true, &answer);
	if (r < 0)
		return r;
	mw_guard_find_pressure(g);
	*ret_guard = TAKE_PTR(g);
	return 0;
}

void memweir_guard_free(struct memweir_guard *g)
{
	if (!g)
		return;
	mw_meter_close(&g->meter);
	mw_guard_requests_forget(g);
	mw_close(&g->pressure_fd);
	mw_close(&g->poll_fd);
	mw_close(&g->figures.fd);
	pthread_mutex_destroy(&g->figures.lock);
	pthread_cond_destroy(&g->notes_idle);
	pthread_mutex_destroy(&g->notes_lock);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

int memweir_guard_refresh(struct memweir_guard *g)
{
	return g->options.flags & MEMWEIR_GUARD_NO_DAEMON ? -EOPNOTSUPP : mw_guard_ask(g);
}
