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

/* The kept one into g->cfg, with the command line over it. -ENOENT: there is none. */
static int load_kept(struct mw_guard *g, struct mw_error *err)
{
	struct mw_guard from = {.opts = g->opts};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" LAST_GOOD, g->opts.run_dir ? g->opts.run_dir : RUN_DIR);
	if (access(path, F_OK) < 0)
		return -ENOENT;
	from.opts.config_file = path;
	from.opts.only_config_file = true;
	return mw_guard_load_config(&from, &g->cfg, err);
}

int mw_last_good_load(struct mw_guard *g, struct mw_error *err)
{
	int r = mw_guard_load_config(g, &g->cfg, err), kept;
	struct mw_error other = {0};

	if (r >= 0 || !is_successor())
		return r;
	kept = load_kept(g, &other);
	if (kept < 0) {
		if (kept != -ENOENT)
			mw_say(g->tell, LOG_ERR, "configuration: the last good one cannot be used either: %s",
			       other.text);
		return r;
	}
	mw_say(g->tell, LOG_ERR,
	       "configuration: %s; going on with the last good one until that is corrected (then: memweir reload)",
	       err->text);
	*err = (struct mw_error){0};
	return 0;
}

int mw_last_good_or_any(struct mw_guard *g)
{
	struct mw_guard none = {.opts = g->opts};
	struct mw_error err = {0};

	if (mw_guard_load_config(g, &g->cfg, &err) >= 0)
		return 0;
	mw_say(g->tell, LOG_WARNING, "configuration: %s", err.text);
	if (load_kept(g, NULL) >= 0)
		return 0;
	none.opts.config_file = "/dev/null";
	none.opts.only_config_file = true;
	return mw_guard_load_config(&none, &g->cfg, NULL);
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
