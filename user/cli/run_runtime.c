/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/run_runtime.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/libexec.h"

#define PYTHON "runtime/python/sitecustomize.py"
#define NODE   "runtime/node.js"

/* Whether it is there, and ends nothing it is put into. */
static bool usable(const char *path)
{
	return access(path, R_OK) == 0 && !strpbrk(path, ": \t\n\"\\");
}

/* first and second with a character between, unless it is in there already: then we run in a worker ourselves. */
static void set(const char *name, const char *ours, const char *first, const char *between, const char *second)
{
	const char *before = getenv(name);
	_cleanup_free_ char *both = NULL;

	if (before && strstr(before, ours))
		return;
	if (!before || !*before)
		setenv(name, *first ? first : second, 1);
	else if (asprintf(&both, "%s%s%s", *first ? first : before, between, *first ? before : second) > 0)
		setenv(name, both, 1);
}

void mw_run_runtime_env(bool on)
{
	char path[PATH_MAX], option[PATH_MAX + 16];

	if (!on)
		return;
	if (usable(mw_libexec(PYTHON, path, sizeof(path)))) {
		*strrchr(path, '/') = '\0';
		set("PYTHONPATH", path, path, ":", "");
	}
	if (usable(mw_libexec(NODE, path, sizeof(path)))) {
		snprintf(option, sizeof(option), "--require %s", path);
		set("NODE_OPTIONS", path, "", " ", option);
	}
}
