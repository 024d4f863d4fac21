/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What an incident is to be judged by, gathered in the loop while it is there: whose limit, who else was near. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "daemon/recording.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define FRESH_NS   (500 * MW_NS_PER_MS) /* a thousand may die at once, and all have the same neighbours */
#define WATCHED_NS (3 * MW_NS_PER_S) /* a gap before the end that is worth a word */
#define PAUSE_NS   (60 * MW_NS_PER_S) /* a pause this old says nothing about an end */

struct mw_nearby {
	__u64 at_ns;
	enum mw_limit_of limit;
	char key[160];
	struct mw_neighbour list[MW_NEIGHBOURS + 1]; /* one of them may be who died */
	__u32 n;
};

static bool met(int dir_fd)
{
	char text[512];
	__u64 n;

	return dir_fd >= 0 && mw_cgroup_read(dir_fd, "memory.events.local", text, sizeof(text)) > 0 &&
	       mw_keyed_u64(text, "oom", &n) == 0 && n;
}

/* The kernel's word on its last pauses; else who of those above has run out of memory. */
static enum mw_limit_of limit_of(struct mw_guard *g, const struct mw_worker *w, __u64 now_ns)
{
	const struct mw_stalls *s = w->stalls;
	_cleanup_close_ int class_fd = -1;

	for (__u32 i = s ? s->count : 0; i > 0; i--) {
		const struct mw_pause *p = mw_stalls_at(s, i - 1);

		if ((p->kind == MW_PAUSE_OOM || p->kind == MW_PAUSE_MAX_RECLAIM) && p->limit > MW_LIMIT_WORKER &&
		    now_ns - p->time_ns < PAUSE_NS)
			return p->limit;
	}
	if (w->oom_host)
		return MW_LIMIT_HOST;
	if (w->made) {
		class_fd = openat(g->root_fd, w->class_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (met(class_fd))
			return MW_LIMIT_CLASS;
		if (met(g->root_fd))
			return MW_LIMIT_TREE;
	}
	return w->oom_told ? MW_LIMIT_ANCESTOR : MW_LIMIT_NONE;
}

static void put_limit(struct mw_guard *g, const struct mw_worker *w, struct mw_scene *s)
{
	size_t length = w->stalls ? w->stalls->limit_length : 0;

	s->limit_bytes = MW_UNLIMITED;
	switch (s->limit) {
	case MW_LIMIT_CLASS:
		s->limit_bytes = w->profile.share ? w->profile.max_heap : w->profile.budget;
		snprintf(s->limit_path, sizeof(s->limit_path), "/%.90s/%s", g->root, w->class_name);
		break;
	case MW_LIMIT_TREE:
		s->limit_bytes = g->cfg.tree.budget;
		snprintf(s->limit_path, sizeof(s->limit_path), "/%.150s", g->root);
		break;
	case MW_LIMIT_ANCESTOR:
		if (w->cgroup && length < strlen(w->cgroup) && length < sizeof(s->limit_path))
			snprintf(s->limit_path, sizeof(s->limit_path), "%.*s", (int)length, w->cgroup);
		break;
	default:
		break;
	}
}

/* Below the limit that ran out; of its class where that was its own. */
static bool is_near(const struct mw_worker *w, const struct mw_scene *s, const char *class_name)
{
	size_t n = strlen(s->limit_path);

	if (!w->usage.time_ns)
		return false;
	if (s->limit == MW_LIMIT_HOST || (s->inc->reason == MW_REASON_HOST_OOM && !n))
		return true;
	if (n)
		return w->cgroup && strncmp(w->cgroup, s->limit_path, n) == 0 && w->cgroup[n] == '/';
	return strcmp(w->class_name, class_name) == 0;
}

static struct mw_neighbour neighbour(const struct mw_worker *w, bool shared, __u64 now_ns)
{
	struct mw_neighbour n = {
		.usage = w->usage.current,
		.charged = w->usage.heap + w->usage.bin,
		.max = w->usage.max,
		.high = w->usage.high,
		.low = w->usage.low,
		.max_bin = w->profile.max_bin_heap,
		.bin = w->usage.bin,
		.level = w->level,
		.hibernated = w->hibernated,
		.idle = w->hibernate_told || w->idle.told,
	};

	memcpy(n.name, w->name, sizeof(n.name));
	memcpy(n.class_name, w->class_name, sizeof(n.class_name));
	if (shared)
		n.grown = mw_grown(w, now_ns, &n.span_ns);
	return n;
}

/* Who grew most goes first, where they share what ran out; else who has most. */
static bool goes_before(const struct mw_neighbour *a, const struct mw_neighbour *b)
{
	return a->grown != b->grown ? a->grown > b->grown : a->usage > b->usage;
}

static void insert(struct mw_nearby *near, const struct mw_neighbour *one)
{
	__u32 at = near->n;

	while (at > 0 && goes_before(one, &near->list[at - 1]))
		at--;
	if (at > MW_NEIGHBOURS)
		return;
	if (near->n <= MW_NEIGHBOURS)
		near->n++;
	memmove(&near->list[at + 1], &near->list[at], (near->n - 1 - at) * sizeof(*one));
	near->list[at] = *one;
}

static void look_around(struct mw_guard *g, const struct mw_worker *w, struct mw_scene *s, __u64 now_ns)
{
	const char *key = s->limit_path[0] || s->inc->reason == MW_REASON_HOST_OOM ? s->limit_path : w->class_name;
	bool shared = s->inc->reason == MW_REASON_HOST_OOM;
	struct mw_nearby *near = g->nearby;

	if (!near)
		near = g->nearby = calloc(1, sizeof(*near));
	if (!near)
		return;
	if (!near->at_ns || now_ns - near->at_ns > FRESH_NS || near->limit != s->limit || strcmp(near->key, key) != 0) {
		near->n = 0;
		near->at_ns = now_ns;
		near->limit = s->limit;
		snprintf(near->key, sizeof(near->key), "%s", key);
		for (const struct mw_worker *o = g->workers.by_id; o; o = o->by_id.next) {
			struct mw_neighbour one;

			if (o == w || !is_near(o, s, w->class_name))
				continue;
			one = neighbour(o, shared, now_ns);
			insert(near, &one);
		}
	}
	for (__u32 i = 0; i < near->n && s->n_near < MW_NEIGHBOURS; i++)
		if (strcmp(near->list[i].name, w->name) != 0)
			s->near[s->n_near++] = near->list[i];
}

/* Where the recording ends before the worker did. */
static void say_unwatched(const struct mw_guard *g, const struct mw_worker *w, struct mw_incident_more *more)
{
	__u64 newest_ns = w->track ? w->track->newest_ns : 0, end_ns = more->scene.end_ns;
	char at[40], until[40];

	if (!newest_ns || end_ns - newest_ns < WATCHED_NS)
		return;
	mw_json_time(newest_ns + (__u64)more->offset_ns, at, sizeof(at));
	mw_json_time(end_ns + (__u64)more->offset_ns, until, sizeof(until));
	if (!g->last_sample_ns)
		snprintf(more->unwatched, sizeof(more->unwatched),
			 "nobody looked after this: no daemon ran until %s, and it ended at some time in between",
			 until);
	else
		snprintf(more->unwatched, sizeof(more->unwatched), "nobody looked after this: the daemon was %s",
			 w->was_populated ? "behind" : "waiting for its end");
}

static bool is_death(enum mw_reason reason)
{
	return reason != MW_REASON_LIFT && reason != MW_REASON_HIBERNATE && reason != MW_REASON_FREEZE &&
	       reason != MW_REASON_ADMIN;
}

void mw_scene_gather(struct mw_guard *g, const struct mw_worker *w, const struct mw_incident *inc,
		     struct mw_mark marks[MW_SCENE_MARKS], struct mw_incident_more *ret_more)
{
	struct mw_scene *s = &ret_more->scene;
	__u64 now_ns = mw_now_ns(), since_ns;
	struct sysinfo host;

	*ret_more = (struct mw_incident_more){.scene = {.inc = inc, .w = w, .end_ns = now_ns}, .marks = marks};
	ret_more->offset_ns = (__s64)(mw_wall_ns() - now_ns);
	s->limit_bytes = MW_UNLIMITED;
	if (inc->reason == MW_REASON_HEAP_SIZE)
		s->limit = MW_LIMIT_WORKER;
	if (inc->reason == MW_REASON_HOST_OOM) {
		s->limit = limit_of(g, w, now_ns);
		put_limit(g, w, s);
	}
	if (is_death(inc->reason) && inc->reason != MW_REASON_SIGNAL && inc->reason != MW_REASON_UNSEEN)
		look_around(g, w, s, now_ns);
	if (sysinfo(&host) == 0) {
		s->host_bytes = (__u64)host.totalram * host.mem_unit;
		s->swap_bytes = (__u64)host.totalswap * host.mem_unit;
	}
	if (is_death(inc->reason))
		say_unwatched(g, w, ret_more);
	since_ns = w->track && w->track->newest_ns ? w->track->newest_ns : now_ns;
	since_ns = since_ns > MW_TRACK_WINDOW_NS ? since_ns - MW_TRACK_WINDOW_NS : 0;
	ret_more->n_marks = mw_recorder_marks(g->recorder, w->cgroup_id, since_ns, marks, MW_SCENE_MARKS);
}
