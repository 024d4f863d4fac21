/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A sample read from files: slower than the BPF iterator, the same figures. */
#include "core/cgroup.h"

#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* A row per file that holds one number. */
static const struct {
	const char *file;
	size_t offset;
	__u64 missing;
} figures[] = {
	{"memory.current", offsetof(struct mw_sample, usage), 0},
	{"memory.high", offsetof(struct mw_sample, high), MW_UNLIMITED},
	{"memory.max", offsetof(struct mw_sample, max), MW_UNLIMITED},
	{"memory.low", offsetof(struct mw_sample, low), 0},
	{"memory.swap.current", offsetof(struct mw_sample, swap_usage), 0},
	{"memory.peak", offsetof(struct mw_sample, peak), 0},
};

/* A row per key of memory.stat. */
static const struct {
	const char *key;
	size_t offset;
} statistics[] = {
	{"anon", offsetof(struct mw_sample, anon)},
	{"file", offsetof(struct mw_sample, file)},
	{"shmem", offsetof(struct mw_sample, shmem)},
	{"sock", offsetof(struct mw_sample, sock)},
	{"kernel", offsetof(struct mw_sample, kernel)},
	{"slab_reclaimable", offsetof(struct mw_sample, slab_reclaimable)},
};

static const char *const event_keys[] = {
	[MW_MEMCG_LOW] = "low", [MW_MEMCG_HIGH] = "high",	  [MW_MEMCG_MAX] = "max",
	[MW_MEMCG_OOM] = "oom", [MW_MEMCG_OOM_KILL] = "oom_kill", [MW_MEMCG_OOM_GROUP_KILL] = "oom_group_kill",
};
_Static_assert(ARRAY_SIZE(event_keys) == MW_MEMCG_EVENT_MAX, "a key for each event");

static __u64 *field(struct mw_sample *s, size_t offset)
{
	return (__u64 *)((char *)s + offset);
}

static int read_events(int dir_fd, const char *file, __u64 *events)
{
	char buf[512];
	ssize_t n = mw_cgroup_read(dir_fd, file, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	for (size_t i = 0; i < ARRAY_SIZE(event_keys); i++)
		mw_keyed_u64(buf, event_keys[i], &events[i]);
	return 0;
}

int mw_cgroup_events(int dir_fd, __u64 ret_events[MW_MEMCG_EVENT_MAX])
{
	return read_events(dir_fd, "memory.events", ret_events);
}

void mw_cgroup_parse_stat(const char *text, struct mw_sample *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(statistics); i++)
		mw_keyed_u64(text, statistics[i].key, field(s, statistics[i].offset));
}

static void read_statistics(int dir_fd, struct mw_sample *s)
{
	char buf[16384]; /* about 2 KB on 6.1, 3 KB on 7.3 */
	ssize_t n = mw_cgroup_read(dir_fd, "memory.stat", buf, sizeof(buf));

	if (n < 0 && n != -E2BIG)
		return;
	mw_cgroup_parse_stat(buf, s);
}

int mw_cgroup_sample(int dir_fd, struct mw_sample *ret_sample)
{
	struct mw_sample s = {.cgroup_id = mw_cgroup_id(dir_fd), .time_ns = mw_now_ns()};

	if (faccessat(dir_fd, "cgroup.procs", F_OK, 0))
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		__u64 *value = field(&s, figures[i].offset);
		int r = mw_cgroup_read_u64(dir_fd, figures[i].file, value);

		if (r == -ENODEV)
			return r;
		if (r)
			*value = figures[i].missing;
	}
	read_events(dir_fd, "memory.events", s.events);
	read_statistics(dir_fd, &s);
	s.stat_ns = s.time_ns;
	*ret_sample = s;
	return 0;
}
