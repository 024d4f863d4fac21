/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Debug files, by what was read in a file that is not to be trusted: only names that cannot lead elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "symbols/open_in.h"
#include "util/cleanup.h"

#define DEBUG_FOLDER "/usr/lib/debug"

/* A name of a file in its folder. */
static bool is_plain_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

static int open_build_id(const struct mw_opened *o, const struct mw_want *w)
{
	struct stat st;
	char path[128];

	if (!mw_build_id_valid(w->name) || strlen(w->name) < 4)
		return -EINVAL;
	snprintf(path, sizeof(path), DEBUG_FOLDER "/.build-id/%.2s/%s.debug", w->name, w->name + 2);
	if (w->candidate == 0)
		return mw_open_in_host(o, path);
	return w->candidate == 1 ? mw_open_in_root(o, path, 0, &st) : -ERANGE;
}

/* Where gdb looks too: beside the module, in .debug, and below the folder of debug files. */
static int open_link(const struct mw_opened *o, const struct mw_want *w)
{
	static const struct {
		const char *before, *between;
	} places[] = {{"", "/"}, {"", "/.debug/"}, {DEBUG_FOLDER, "/"}, {DEBUG_FOLDER, "/"}};
	struct stat st;
	char path[PATH_MAX];
	const char *module, *slash;

	if (!is_plain_name(w->name) || w->module >= o->modules->n)
		return -EINVAL;
	if (w->candidate >= ARRAY_SIZE(places))
		return -ERANGE;
	module = o->modules->at[w->module].path;
	slash = strrchr(module, '/');
	if (module[0] != '/' || strstr(module, "/../"))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s%.*s%s%s", places[w->candidate].before, (int)(slash - module), module,
		 places[w->candidate].between, w->name);
	return w->candidate == ARRAY_SIZE(places) - 1 ? mw_open_in_host(o, path) : mw_open_in_root(o, path, 0, &st);
}

int mw_open_wanted(const struct mw_opened *o, const struct mw_want *w)
{
	if (!memchr(w->name, '\0', sizeof(w->name)))
		return -EINVAL;
	switch (w->kind) {
	case MW_WANTED_BUILD_ID:
		return open_build_id(o, w);
	case MW_WANTED_LINK:
		return open_link(o, w);
	default:
		return -EINVAL;
	}
}
