/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/runtime.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/proc.h"
#include "util/cleanup.h"

struct kind {
	const char *name, *also; /* how the executable begins; what follows is a version */
	const char *with_value; /* options whose value is the next argument */
	const char *instead; /* options that come with a program text, so that there is no script */
	const char *hint;
};

static const struct kind kinds[] = {
	{"python", NULL, " -W -X --check-hash-based-pycs ", " -c ",
	 "runtime_profile = yes in its class has it name its own lines, or PYTHONTRACEMALLOC=10 and "
	 "tracemalloc.take_snapshot() by hand"},
	{"node", "nodejs", " -r --require --import --loader --experimental-loader -C --conditions --title ",
	 " -e --eval -p --print ",
	 "runtime_profile = yes in its class has it name its own functions, or start it with "
	 "--heapsnapshot-signal=SIGUSR2 and compare two of its heap snapshots"},
};

/* "python3.11", "node", "nodejs-18": the name, and behind it nothing but a version. */
static bool begins(const char *base, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	if (!n || strncmp(base, name, n) != 0)
		return false;
	for (base += n; *base; base++)
		if (!isdigit((unsigned char)*base) && *base != '.' && *base != '-')
			return strcmp(base, " (deleted)") == 0;
	return true;
}

static bool among(const char *list, const char *option)
{
	char word[64];

	snprintf(word, sizeof(word), " %.60s ", option);
	return strstr(list, word);
}

/* The first argument that is no option and no option's value. Of python -m it is the module. */
static void find_script(const struct kind *k, const char *cmdline, size_t n, char *script, size_t size)
{
	bool value = false;

	for (size_t at = n ? strnlen(cmdline, n) + 1 : 0; at < n; at += strnlen(cmdline + at, n - at) + 1) {
		const char *argument = cmdline + at;
		int length = (int)strnlen(argument, n - at);
		char option[64];

		snprintf(option, sizeof(option), "%.*s", length, argument);
		if (value) {
			value = false;
		} else if (option[0] != '-' || !option[1]) {
			snprintf(script, size, "%.*s", length, argument);
			return;
		} else if (among(k->instead, option)) {
			return;
		} else {
			value = among(k->with_value, option);
		}
	}
}

struct mw_runtime mw_runtime_of(const char *exe, const char *cmdline, size_t n)
{
	const char *slash = strrchr(exe, '/'), *base = slash ? slash + 1 : exe;
	struct mw_runtime r = {0};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!begins(base, kinds[i].name) && !begins(base, kinds[i].also))
			continue;
		r.name = kinds[i].name;
		r.hint = kinds[i].hint;
		find_script(&kinds[i], cmdline, n, r.script, sizeof(r.script));
	}
	return r;
}

struct mw_runtime mw_runtime_read(const char *proc_root, int pid)
{
	char path[PATH_MAX], exe[PATH_MAX], cmdline[4096];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	if (mw_proc_exe(proc_root, pid, exe, sizeof(exe)) < 0)
		return (struct mw_runtime){0};
	snprintf(path, sizeof(path), "%.200s/%d/cmdline", proc_root, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, cmdline, sizeof(cmdline));
	return mw_runtime_of(exe, cmdline, n < 0 ? 0 : (size_t)n);
}
