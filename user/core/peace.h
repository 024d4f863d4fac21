/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who else ends processes on this host when memory is short. A worker held at its soft limit is short of memory on
 * purpose: to some of these that is a reason to kill it.
 */
#ifndef MW_PEACE_H
#define MW_PEACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum mw_killer {
	MW_KILLER_SYSTEMD_OOMD,
	MW_KILLER_OOMD,
	MW_KILLER_EARLYOOM,
	MW_KILLERS,
};
const char *mw_killer_name(enum mw_killer killer); /* as its process is called */

struct mw_killer_seen {
	pid_t pid; /* 0: it does not run */
	char mem_percent[8], swap_percent[8]; /* earlyoom's -m and -s as given; "": not given */
	bool by_size; /* earlyoom's -M or -S: what is left is counted in KiB */
};
/* Which of them run, by the file they execute; where that cannot be read, by their names. proc_root: "/proc" or a fake
 * tree. */
void mw_killers_find(const char *proc_root, struct mw_killer_seen ret_seen[MW_KILLERS]);

/* What systemd-oomd was told of one unit above the workers. */
struct mw_oomd_unit {
	char name[128];
	bool pressure, swap; /* ManagedOOMMemoryPressure=kill, ManagedOOMSwap=kill */
};

/* Whether a worker that meets its limits, and nothing else, can die of it. units: those above the workers. */
bool mw_killer_threatens(enum mw_killer killer, const struct mw_killer_seen *seen, const struct mw_oomd_unit *units,
			 size_t n);
/* What it would do to a worker, a sentence. Returns buf. */
const char *mw_killer_says(enum mw_killer killer, const struct mw_killer_seen *seen, const struct mw_oomd_unit *units,
			   size_t n, char *buf, size_t size);

/* The units above a cgroup (a path from the root, without a leading slash), the root's first: "-.slice", "a.slice".
 * Returns how many, at most max. What is no unit ends them. */
size_t mw_units_above(const char *cgroup, struct mw_oomd_unit *ret_units, size_t max);

#endif
