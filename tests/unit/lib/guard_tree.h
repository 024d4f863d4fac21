/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A /proc and a cgroup v2 in a folder, in which this test is the one process of cgroup /w. */
#ifndef MW_TESTS_GUARD_TREE_H
#define MW_TESTS_GUARD_TREE_H

#include "../core/fake_tree.h"

#include <memweir/guard.h>

#define MILLION 1000000ULL
#define HOUR_NS 3600000000000ULL

struct fake_memory {
	uint64_t anon, file, shmem, sock, kernel, slab, swap;
	uint64_t more; /* in memory.current, and not in memory.stat */
};

static inline void in_cgroup(const char *cgroup, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "cg%s/%s", cgroup, file);
	tree_file(path, text);
}

static inline void current_is(const char *cgroup, uint64_t bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)bytes);
	in_cgroup(cgroup, "memory.current", text);
}

static inline void memory_is(const char *cgroup, struct fake_memory m)
{
	char text[512];

	current_is(cgroup, m.anon + m.file + m.sock + m.kernel + m.more);
	snprintf(text, sizeof(text),
		 "anon %llu\nfile %llu\nkernel %llu\nsock %llu\nshmem %llu\nslab_reclaimable %llu\n",
		 (unsigned long long)m.anon, (unsigned long long)m.file, (unsigned long long)m.kernel,
		 (unsigned long long)m.sock, (unsigned long long)m.shmem, (unsigned long long)m.slab);
	in_cgroup(cgroup, "memory.stat", text);
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)m.swap);
	in_cgroup(cgroup, "memory.swap.current", text);
}

static inline void stand_in(const char *cgroup)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "proc/%d/cgroup", (int)getpid());
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	tree_file(path, text);
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	in_cgroup(cgroup, "cgroup.procs", text);
}

/* What /proc says: pages of statm, kilobytes of status. */
static inline void process_is(unsigned long resident, unsigned long anon_kb, unsigned long swap_kb,
			      unsigned long shmem_kb)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "proc/%d/statm", (int)getpid());
	snprintf(text, sizeof(text), "9999 %lu 100 1 0 50 0\n", resident);
	tree_file(path, text);
	snprintf(path, sizeof(path), "proc/%d/status", (int)getpid());
	snprintf(text, sizeof(text),
		 "Name:\tx\nRssAnon:\t%lu kB\nRssFile:\t400 kB\nRssShmem:\t%lu kB\nVmSwap:\t%lu kB\n", anon_kb,
		 shmem_kb, swap_kb);
	tree_file(path, text);
}

/* Before each test: 10 MB of heap and 2 MB of bin in /w, no limit. */
static inline int guard_setup(void **state)
{
	char text[256];

	if (tree_make(state))
		return -1;
	unsetenv("MEMWEIR_CLASS");
	unsetenv("MEMWEIR_WORKER");
	unsetenv("MEMWEIR_SOCKET");
	unsetenv("MEMORY_PRESSURE_WATCH");
	unsetenv("MEMORY_PRESSURE_WRITE");
	snprintf(text, sizeof(text), "22 1 0:21 / /proc rw - proc proc rw\n30 1 0:26 / %s/cg rw - cgroup2 cgroup2 rw\n",
		 tree);
	tree_file("proc/self/mountinfo", text);
	stand_in("/w");
	memory_is("/w", (struct fake_memory){.anon = 10 * MILLION, .kernel = 2 * MILLION, .file = MILLION});
	in_cgroup("/w", "memory.max", "max\n");
	process_is(2500, 8000, 0, 0);
	return 0;
}

static inline struct memweir_guard_options fake_options(const char *class_name)
{
	struct memweir_guard_options o = MEMWEIR_INIT(struct memweir_guard_options);

	o.class_name = class_name;
	o.root = tree;
	o.flags = MEMWEIR_GUARD_NO_DAEMON;
	return o;
}

static inline struct memweir_guard *enrolled(const char *class_name)
{
	const struct memweir_guard_options o = fake_options(class_name);
	struct memweir_guard *g = NULL;

	assert_int_equal(memweir_guard_enrol(&o, &g), 0);
	return g;
}

#define guard_test(f) cmocka_unit_test_setup_teardown(f, guard_setup, tree_remove)

#endif
