/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The sites of a worker that is watched from outside: what it allocated meanwhile, and has kept. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/proc.h"
#include "daemon/sites_impl.h"
#include "leak/objects.h"
#include "leak/watch.h"
#include "symbols/modules.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* What a process has mapped to be executed. */
struct code {
	pid_t pid;
	__u64 start_ticks;
	struct mw_modules modules; /* none: it has ended */
};

#define MAPS_BYTES (1UL << 20) /* of one process, as symbols/remember_read.c has it */
#define CODE	   64 /* processes; of more only the first frame is believed */

struct gathering {
	struct mw_heap heap;
	struct mw_heap_head head;
	__u64 until_ns; /* what was allocated later has not proved anything yet */
	__u64 suspended_ns;
	struct code code[CODE];
	size_t n_code;
};

/* Its start first, and again behind: all is of one process. */
static void read_code(struct code *c)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *text = NULL;
	char path[64];
	size_t n;

	if (mw_proc_start_ticks("/proc", c->pid, &c->start_ticks) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/maps", c->pid);
	f = fopen(path, "re");
	text = f ? malloc(MAPS_BYTES) : NULL;
	n = text ? fread(text, 1, MAPS_BYTES, f) : 0;
	while (n && text[n - 1] != '\n')
		n--;
	if (n && mw_proc_is("/proc", c->pid, c->start_ticks))
		(void)mw_modules_read_maps(&c->modules, text, n, NULL);
}

static const struct code *code_of(struct gathering *g, pid_t pid)
{
	struct code *c;

	for (size_t i = 0; i < g->n_code; i++) {
		if (g->code[i].pid == pid)
			return &g->code[i];
	}
	if (g->n_code == ARRAY_SIZE(g->code))
		return NULL;
	c = &g->code[g->n_code++];
	*c = (struct code){.pid = pid};
	read_code(c);
	return c;
}

static bool is_code(__u64 address, const void *modules)
{
	return mw_modules_find(modules, address - 1);
}

static int gather(pid_t pid, const struct mw_heap_record *record, void *arg)
{
	struct mw_heap_record r = *record;
	struct gathering *g = arg;
	const struct code *code;

	if (r.time_ns > g->until_ns)
		return 0;
	code = code_of(g, pid);
	/* It has ended, and its objects with it; who has its pid now began later. */
	if (code && (!code->modules.n || mw_proc_began_after(code->start_ticks, r.time_ns, g->suspended_ns)))
		return 0;
	g->heap.start_ticks = code ? code->start_ticks : 0;
	if (code)
		mw_object_cut(&r, is_code, &code->modules);
	else if (r.n_frames > 1)
		r.n_frames = 1;
	return mw_heap_add(&g->heap, pid, &g->head, &r, &r, 1);
}

int mw_sites_take_objects(const struct mw_sites_look *look, struct mw_site_list *out)
{
	struct gathering g = {.until_ns = look->watched_until_ns - MW_WATCH_AGE_NS, .suspended_ns = mw_suspended_ns()};
	int r = look->probes ? mw_object_probes_each(look->probes, gather, &g) : -ENODATA;

	if (r >= 0 && g.heap.samples >= MW_SITES_SAMPLES) {
		mw_heap_sort(&g.heap);
		mw_sites_take_heap(&g.heap, out);
	}
	for (size_t i = 0; i < out->n; i++) {
		out->at[i].kind = look->otel ? "otel_memory" : "probed";
		out->at[i].watched_ns = look->watched_ns;
		out->at[i].watched_of_ns = look->watched_of_ns;
	}
	for (size_t i = 0; i < g.n_code; i++)
		mw_modules_free(&g.code[i].modules);
	mw_heap_free(&g.heap);
	out->heap = out->n > 0; /* else another source fills it */
	return r < 0 ? r : out->n ? 0 : -ENODATA;
}
