/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A guard with one worker, web of class tool, whose cgroup is a folder; its action threads are real. */
#ifndef MW_TESTS_ONE_WORKER_H
#define MW_TESTS_ONE_WORKER_H

#include "../core/fake_tree.h"

#include <poll.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "util/clock.h"

#define PAGES(n) ((n) / 4096 * 4096)
#define MAX	 PAGES(50000000ULL) /* of class tool */
#define HIGH	 PAGES(42500000ULL)

static struct mw_guard g;
static struct mw_worker *w;
static __u64 later; /* than everything that was done before */

static inline void file_is(const char *file, __u64 value)
{
	char path[64];

	snprintf(path, sizeof(path), "cg/%s", file);
	if (value == MW_UNLIMITED) {
		tree_file(path, "max\n");
	} else {
		char text[32];

		snprintf(text, sizeof(text), "%llu\n", value);
		tree_file(path, text);
	}
}

static inline __u64 now_in(const char *file)
{
	__u64 value = 0;

	assert_int_equal(mw_cgroup_read_u64(w->dir_fd, file, &value), 0);
	return value;
}

/* What was submitted is through. */
static inline void settle(void)
{
	while (w->limits_under_way) {
		struct mw_action_result r;
		struct pollfd p = {.fd = mw_actions_fd(g.actions), .events = POLLIN};

		poll(&p, 1, 5000);
		while (mw_actions_next(g.actions, &r))
			mw_guard_on_done(&g, &r);
	}
	later = mw_now_ns() + 3 * MW_NS_PER_S;
	w->limits_ns = 0;
}

static inline int start(void **state)
{
	struct mw_error err = {0};
	struct mw_profile profile;

	if (tree_make(state))
		return -1;
	g = (struct mw_guard){.has_memory = true, .inotify_fd = -1, .lock_fd = -1, .root_fd = -1};
	tree_dir("run/workers");
	tree_file("cg/memory.current", "4096\n");
	tree_file("cg/memory.oom.group", "0\n");
	tree_file("cg/cgroup.events", "populated 1\n");
	file_is("memory.max", MAX);
	file_is("memory.high", HIGH);
	file_is("memory.low", PAGES(5000000));
	file_is("memory.swap.max", MAX);
	g.run_fd = open(tree_path("run"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mw_config_defaults(&g.cfg) || mw_workers_init(&g.workers, 4) || mw_keeper_connect(4, &g.keeper, &err) ||
	    mw_actions_new(2, "/proc", &g.actions) || mw_teller_new(&g.tell))
		return -1;
	if (mw_worker_add(&g.workers, "web", "tool", "/cg", mw_cgroup_open(tree_path("cg")), 7, 5, &w) ||
	    mw_config_worker_profile(&g.cfg, "tool", "web", &profile, NULL))
		return -1;
	w->owner = MW_OWNER_OWN;
	w->was_populated = true;
	w->before = (struct mw_originals){.known = true, .limits = mw_no_limits};
	mw_limits_settle(w, &profile);
	later = mw_now_ns() + 3 * MW_NS_PER_S;
	return 0;
}

static inline int stop(void **state)
{
	mw_actions_free(g.actions);
	mw_keeper_disconnect(g.keeper);
	mw_workers_free(&g.workers);
	mw_config_free(&g.cfg);
	mw_teller_free(g.tell);
	close(g.run_fd);
	return tree_remove(state);
}

/* Events of this kind so far. */
static inline size_t told(const char *kind)
{
	struct json_object *all = mw_teller_recent(g.tell, 0);
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *type = NULL;

		json_object_object_get_ex(json_object_array_get_idx(all, i), "type", &type);
		n += strcmp(json_object_get_string(type), kind) == 0;
	}
	json_object_put(all);
	return n;
}

#endif
