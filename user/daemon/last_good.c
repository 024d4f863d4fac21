/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The configuration in force, kept as RUN_DIR/last-good.conf. Files that somebody edits are
 * wrong for a while; a daemon that dies just then must have a successor all the same. The first start of a guard
 * refuses wrong files, and an orderly stop takes the copy away.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "util/cleanup.h"

#define LAST_GOOD "last-good.conf"
#define RUN_DIR	  "/run/memweir" /* as configured is not known: the files are wrong */

/* Another one died before us: the keeper says so, and under a service manager the copy alone does. */
static bool is_successor(void)
{
	return getenv(MW_KEEPER_RESTARTED_ENV) || getenv("NOTIFY_SOCKET");
}

int mw_last_good_load(struct mw_guard *g, struct mw_error *err)
{
	int r = mw_guard_load_config(g, &g->cfg, err);
	struct mw_error other = {0};
	struct mw_guard from = {.opts = g->opts};
	char path[PATH_MAX];

	if (r >= 0 || !is_successor())
		return r;
	snprintf(path, sizeof(path), "%s/" LAST_GOOD, g->opts.run_dir ? g->opts.run_dir : RUN_DIR);
	from.opts.config_file = path;
	from.opts.only_config_file = true;
	if (mw_guard_load_config(&from, &g->cfg, &other) < 0) {
		if (access(path, F_OK) == 0)
			mw_say(g->tell, LOG_ERR, "configuration: the last good one cannot be used either: %s",
			       other.text);
		return r;
	}
	mw_say(g->tell, LOG_ERR,
	       "configuration: %s: going on with the last good one, %s, until the line is corrected (then: memweir "
	       "reload)",
	       err->text, path);
	*err = (struct mw_error){0};
	return 0;
}

void mw_last_good_keep(struct mw_guard *g)
{
	int r = mw_config_write(&g->cfg, g->run_fd, LAST_GOOD);

	if (r < 0)
		mw_say(g->tell, LOG_WARNING,
		       "%s/" LAST_GOOD " cannot be written: %s; should this daemon die while the configuration is "
		       "wrong, no other one starts",
		       g->cfg.tree.run_dir, strerror(-r));
}

void mw_last_good_forget(struct mw_guard *g)
{
	if (g->run_fd >= 0)
		unlinkat(g->run_fd, LAST_GOOD, 0);
}
