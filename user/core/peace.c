/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/peace.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/proc.h"
#include "util/cleanup.h"

static const char *const names[] = {
	[MW_KILLER_SYSTEMD_OOMD] = "systemd-oomd",
	[MW_KILLER_OOMD] = "oomd",
	[MW_KILLER_EARLYOOM] = "earlyoom",
};
_Static_assert(ARRAY_SIZE(names) == MW_KILLERS, "a name for every killer");

const char *mw_killer_name(enum mw_killer killer)
{
	return (unsigned int)killer < MW_KILLERS ? names[killer] : "unknown";
}

/* The last part of the path of the file it executes, else its name, which a process may change. */
static void program_of(const char *proc_root, pid_t pid, char *ret_name, size_t size)
{
	char exe[PATH_MAX];
	const char *slash;

	if (mw_proc_exe(proc_root, pid, exe, sizeof(exe)) < 0 || !exe[0]) {
		mw_proc_comm(proc_root, pid, ret_name, size);
		return;
	}
	slash = strrchr(exe, '/');
	snprintf(ret_name, size, "%.63s", slash ? slash + 1 : exe);
}

/* "10", "10,5": the number before a comma, where it is one. */
static void percent(const char *text, char *ret, size_t size)
{
	size_t n = strspn(text, "0123456789.");

	if (n && n < size && (!text[n] || text[n] == ','))
		snprintf(ret, size, "%.*s", (int)n, text);
}

/* earlyoom -m 10,5 -s 20, also as -m10. */
static void read_arguments(const char *proc_root, struct mw_killer_seen *seen)
{
	char path[PATH_MAX], line[4096];
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%d/cmdline", proc_root, (int)seen->pid);
	length = mw_cgroup_read(AT_FDCWD, path, line, sizeof(line));
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(line + at) + 1) {
		const char *word = line + at, *value = word[0] == '-' && word[1] ? word + 2 : "";
		ssize_t next = at + (ssize_t)strlen(word) + 1;

		if (word[0] == '-' && word[1] && !word[2] && next < length)
			value = line + next;
		if (strncmp(word, "-m", 2) == 0)
			percent(value, seen->mem_percent, sizeof(seen->mem_percent));
		else if (strncmp(word, "-s", 2) == 0)
			percent(value, seen->swap_percent, sizeof(seen->swap_percent));
		else if (strncmp(word, "-M", 2) == 0 || strncmp(word, "-S", 2) == 0)
			seen->by_size = true;
	}
}

void mw_killers_find(const char *proc_root, struct mw_killer_seen ret_seen[MW_KILLERS])
{
	_cleanup_closedir_ DIR *d = opendir(proc_root);
	struct dirent *e;

	memset(ret_seen, 0, MW_KILLERS * sizeof(ret_seen[0]));
	while (d && (e = readdir(d))) {
		char name[64], *end;
		long pid = strtol(e->d_name, &end, 10);

		if (*end || pid <= 0 || pid > INT_MAX)
			continue;
		program_of(proc_root, (pid_t)pid, name, sizeof(name));
		for (int k = 0; k < MW_KILLERS; k++) {
			if (!ret_seen[k].pid && strcmp(name, names[k]) == 0)
				ret_seen[k].pid = (pid_t)pid;
		}
	}
	if (ret_seen[MW_KILLER_EARLYOOM].pid)
		read_arguments(proc_root, &ret_seen[MW_KILLER_EARLYOOM]);
}

static const struct mw_oomd_unit *managed(const struct mw_oomd_unit *units, size_t n, bool by_pressure)
{
	for (size_t i = 0; i < n; i++) {
		if (by_pressure ? units[i].pressure : units[i].swap)
			return &units[i];
	}
	return NULL;
}

bool mw_killer_threatens(enum mw_killer killer, const struct mw_killer_seen *seen, const struct mw_oomd_unit *units,
			 size_t n)
{
	return seen->pid && killer == MW_KILLER_SYSTEMD_OOMD && managed(units, n, true);
}

static int say_systemd_oomd(const struct mw_oomd_unit *units, size_t n, char *buf, size_t size)
{
	const struct mw_oomd_unit *pressure = managed(units, n, true), *swap = managed(units, n, false);

	if (pressure)
		return snprintf(buf, size,
				"watches %s: when its memory pressure stays over the limit for its time (30 s unless "
				"configured) a whole cgroup below is killed; a squeeze is such a pressure",
				pressure->name);
	if (swap)
		return snprintf(buf, size,
				"watches the swap of %s: when memory and swap are nearly used up the cgroup below "
				"with most swap is killed; a squeezed or hibernated worker is swapped out",
				swap->name);
	if (n)
		return snprintf(buf, size, "watches no unit above the workers (oomctl lists those it does)");
	return snprintf(buf, size, "kills whole cgroups below the units it watches; oomctl lists them");
}

const char *mw_killer_says(enum mw_killer killer, const struct mw_killer_seen *seen, const struct mw_oomd_unit *units,
			   size_t n, char *buf, size_t size)
{
	const char *mem = seen->mem_percent[0] ? seen->mem_percent : "10",
		   *swap = seen->swap_percent[0] ? seen->swap_percent : "10";
	int used;

	if (!seen->pid) {
		snprintf(buf, size, "does not run");
		return buf;
	}
	used = snprintf(buf, size, "pid %d ", (int)seen->pid);
	if (used < 0 || (size_t)used >= size)
		return buf;
	buf += used;
	if (killer == MW_KILLER_SYSTEMD_OOMD)
		say_systemd_oomd(units, n, buf, size - (size_t)used);
	else if (killer == MW_KILLER_OOMD)
		snprintf(buf, size - (size_t)used,
			 "kills whole cgroups by its own rules, by memory pressure too: leave the workers' cgroups out "
			 "of them");
	else if (seen->by_size)
		snprintf(buf, size - (size_t)used,
			 "ends the process with the highest oom_score, a worker's too, when the host's memory and swap "
			 "fall below what it was told; limits of workers are nothing to it");
	else
		snprintf(buf, size - (size_t)used,
			 "ends the process with the highest oom_score, a worker's too, when the host has less than %s "
			 "%% of its memory available and less than %s %% of its swap free; limits of workers are "
			 "nothing to it",
			 mem, swap);
	return buf - used;
}

static bool is_unit(const char *name, size_t length)
{
	static const char *const suffixes[] = {".slice", ".scope", ".service"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (length > n && memcmp(name + length - n, suffixes[i], n) == 0)
			return true;
	}
	return false;
}

size_t mw_units_above(const char *cgroup, struct mw_oomd_unit *ret_units, size_t max)
{
	size_t n = 0;

	if (max)
		ret_units[n++] = (struct mw_oomd_unit){.name = "-.slice"};
	while (n < max && *cgroup) {
		size_t length = strcspn(cgroup, "/");

		if (!is_unit(cgroup, length) || length >= sizeof(ret_units[n].name))
			break;
		ret_units[n] = (struct mw_oomd_unit){0};
		memcpy(ret_units[n++].name, cgroup, length);
		cgroup += length + (cgroup[length] == '/');
	}
	return n;
}
