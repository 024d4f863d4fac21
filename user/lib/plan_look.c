// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The calling process as a plan wants it. */
#include <memweir/plan.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/connections.h"
#include "lib/sized.h"
#include "util/cleanup.h"

/* The numbers behind keys of a file of "key value" lines, added up with their unit; how many were there. */
static int add_lines(const char *path, const char *const *keys, size_t n_keys, uint64_t unit, uint64_t *sum)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	char line[256], key[64];
	uint64_t value;
	int found = 0;

	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "%63s %" SCNu64, key, &value) != 2)
			continue;
		for (size_t i = 0; i < n_keys; i++)
			if (strcmp(key, keys[i]) == 0) {
				*sum += value * unit;
				found++;
			}
	}
	return found;
}

/* memory.stat's sock, where cgroup v2 is mounted at its usual place and counts memory; else it stays 0. */
static void look_at_sockets(uint64_t *ret_bytes)
{
	static const char *const keys[] = {"sock"};
	_cleanup_fclose_ FILE *in = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX], path[PATH_MAX + 64];
	uint64_t bytes = 0;

	while (in && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", line + 3);
		if (add_lines(path, keys, 1, 1, &bytes) == 1)
			*ret_bytes = bytes;
	}
}

int memweir_plan_look(struct memweir_plan_seen *ret_seen)
{
	static const char *const keys[] = {"RssAnon:", "RssShmem:", "VmSwap:", "VmPTE:"};
	struct memweir_plan_seen s = {.size = sizeof(s)};
	struct mw_connections c;
	pid_t self = getpid();
	int r;

	if (!ret_seen)
		return -EINVAL;
	r = add_lines("/proc/self/status", keys, ARRAY_SIZE(keys), 1024, &s.memory_bytes);
	if (r < 0)
		return r;
	r = mw_connections_count("/proc", &self, 1, &c);
	if (r < 0)
		return r;
	s.connections = c.accepted;
	look_at_sockets(&s.socket_bytes);
	return mw_sized_out(ret_seen, &s, sizeof(s));
}
