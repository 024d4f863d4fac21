/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Classes with share = class: the profile stands on ROOT/CLASS, so it is the class's memory.high that the breaker
 * lifts, the keeper takes back and this file restores.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define RESTORE_AFTER_NS MW_NS_PER_S

static struct mw_shared *find(struct mw_guard *g, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(g->shared); i++) {
		if (g->shared[i].id && strcmp(g->shared[i].name, name) == 0)
			return &g->shared[i];
	}
	return NULL;
}

static void drop(struct mw_guard *g, struct mw_shared *s)
{
	mw_keeper_drop(g->keeper, s->slot);
	mw_close(&s->dir_fd);
	*s = (struct mw_shared){.dir_fd = -1};
}

static void take(struct mw_guard *g, const struct mw_class *c)
{
	struct mw_shared *s = NULL;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(g->shared) && !s; i++) {
		if (!g->shared[i].id)
			s = &g->shared[i];
	}
	fd = s ? openat(g->root_fd, c->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		mw_say(g->tell, LOG_WARNING, "class %s: its shared memory.high is not watched: %s", c->name,
		       s ? strerror(errno) : "too many classes share");
		return;
	}
	*s = (struct mw_shared){.dir_fd = fd, .id = mw_cgroup_id(fd)};
	snprintf(s->name, sizeof(s->name), "%s", c->name);
	s->slot = g->cfg.monitor.max_workers + (__u32)(s - g->shared); /* behind the workers' in the keeper's table */
	mw_keeper_add(g->keeper, s->slot, s->id, fd, true);
}

void mw_share_sync(struct mw_guard *g)
{
	if (!g->has_memory || g->opts.dry_run)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(g->shared); i++) {
		const struct mw_class *c = g->shared[i].id ? mw_config_class(&g->cfg, g->shared[i].name) : NULL;

		if (g->shared[i].id && (!c || !c->profile.share))
			drop(g, &g->shared[i]);
	}
	for (size_t i = 0; i < g->cfg.n_classes; i++) {
		const struct mw_class *c = &g->cfg.classes[i];
		struct mw_shared *s = find(g, c->name);

		if (c->profile.share && c->profile.policy != MW_POLICY_OBSERVE && !s)
			take(g, c);
		s = find(g, c->name);
		if (s) { /* mw_place_classes has just written it */
			s->high = mw_profile_limits(&c->profile).high;
			s->lifted_ns = 0;
		}
	}
}

void mw_share_lifted(struct mw_guard *g, __u64 cgroup_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(g->shared); i++) {
		struct mw_shared *s = &g->shared[i];

		if (!cgroup_id || s->id != cgroup_id || s->lifted_ns)
			continue;
		s->lifted_ns = mw_now_ns();
		mw_tell(g->tell, LOG_NOTICE, "lifted", NULL,
			"class %s: its shared memory.high is lifted, a worker slept over it", s->name);
	}
}

void mw_share_tick(struct mw_guard *g, __u64 now_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(g->shared); i++) {
		struct mw_shared *s = &g->shared[i];
		struct mw_action a;
		__u64 used, high;

		if (!s->id)
			continue;
		/* a lift whose report was lost with its worker */
		if (!s->lifted_ns && s->high != MW_UNLIMITED &&
		    mw_cgroup_read_u64(s->dir_fd, "memory.high", &high) == 0 && high == MW_UNLIMITED)
			s->lifted_ns = now_ns;
		if (!s->lifted_ns || now_ns - s->lifted_ns < RESTORE_AFTER_NS)
			continue;
		if (mw_cgroup_read_u64(s->dir_fd, "memory.current", &used) < 0 || used > s->high - s->high / 50)
			continue;
		a = mw_action_make(MW_ACTION_LIMIT, s->dir_fd, s->id, 5 * MW_NS_PER_S);
		a.writes[0] = (struct mw_action_write){"memory.high", s->high};
		a.n_writes = 1;
		a.mark = &mw_keeper_table(g->keeper)->slots[s->slot].high_set;
		if (mw_actions_submit(g->actions, &a) == 0)
			s->lifted_ns = 0;
	}
}

void mw_share_close(struct mw_guard *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(g->shared); i++) {
		if (!g->shared[i].id)
			continue;
		mw_cgroup_write(g->shared[i].dir_fd, "memory.high", "max");
		mw_keeper_mark_high(mw_keeper_table(g->keeper), g->shared[i].slot, false);
		mw_close(&g->shared[i].dir_fd);
	}
}
