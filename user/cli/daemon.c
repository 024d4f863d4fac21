/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir daemon: this process becomes the keeper, the parent of the daemon program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "cli/verb.h"
#include "core/keeper.h"
#include "util/cleanup.h"
#include "util/journal.h"
#include "util/libexec.h"

struct daemon_values {
	bool dry_run, unload, no_restart;
	const char *config, *disable, *root, *state_dir, *run_dir;
	long keep;
};

#define AT(field) offsetof(struct daemon_values, field)
static const struct mw_option rows[] = {
	{"dry-run", 'n', MW_OPT_FLAG, AT(dry_run), NULL, "decide and say everything, write no limit, take no action"},
	{"unload", 0, MW_OPT_FLAG, AT(unload), NULL, "remove every pinned program and map, restore limits, end"},
	{"config", 'c', MW_OPT_TEXT, AT(config), "FILE", "read FILE instead of /etc/memweir/memweir.conf"},
	{"no-restart", 0, MW_OPT_FLAG, AT(no_restart), NULL, "do not start a new daemon after one died"},
	{"disable", 0, MW_OPT_TEXT, AT(disable), "CAP,...", "do without these capabilities (doctor names them)"},
	{"root", 0, MW_OPT_TEXT, AT(root), "CGROUP", "cgroup to make workers below, from the cgroup root"},
	{"state-dir", 0, MW_OPT_TEXT, AT(state_dir), "DIR", "where incidents are kept"},
	{"run-dir", 0, MW_OPT_TEXT, AT(run_dir), "DIR", "where the socket is"},
	{"keep", 0, MW_OPT_NUMBER, AT(keep), "PID", NULL, 1, 1L << 22}, /* the daemon starts a new keeper with it */
	{NULL},
};

#define ARGS_MAX (2 * ARRAY_SIZE(rows) + 2)

/* The daemon program takes the same options, less the keeper's own. */
static void forward(const struct daemon_values *v, const char *program, const char *argv[ARGS_MAX],
		    char names[ARRAY_SIZE(rows)][32])
{
	size_t n = 0;

	argv[n++] = program;
	for (size_t i = 0; rows[i].name; i++) {
		const void *value = (const char *)v + rows[i].offset;
		bool is_text = rows[i].kind == MW_OPT_TEXT;

		if (rows[i].offset == AT(no_restart) || rows[i].offset == AT(keep))
			continue;
		if (is_text ? !*(const char *const *)value : !*(const bool *)value)
			continue;
		snprintf(names[i], 32, "--%s", rows[i].name);
		argv[n++] = names[i];
		if (is_text)
			argv[n++] = *(const char *const *)value;
	}
	argv[n] = NULL;
}

/* All that a keeper says is out of the ordinary: a death, what was mended, a new start. */
static void say_line(const char *line)
{
	if (mw_journal_on(STDERR_FILENO))
		fprintf(stderr, "<%d>keeper: %s\n", LOG_WARNING, line);
	else
		fprintf(stderr, "memweir keeper: %s\n", line);
}

static int daemon_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct daemon_values *v = cli->values;
	char path[4096], names[ARRAY_SIZE(rows)][32];
	const char *args[ARGS_MAX];

	if (v->keep && argc < 2)
		return mw_say_usage(cli, "--keep PID is the daemon's own, expected -- PROGRAM ARGUMENTS...");
	if (v->keep)
		return mw_keeper_adopt((int)v->keep, argv, say_line);
	if (argc)
		return mw_say_usage(cli, "\"%s\" is one word too many, expected %s", argv[0], cli->verb->args);
	mw_libexec(MW_DAEMON_PROGRAM, path, sizeof(path));
	forward(v, path, args, names);
	if (access(path, X_OK) < 0) {
		mw_say_error(cli, "the daemon program %s: %s", path, strerror(errno));
		return MW_EXIT_FAILURE;
	}
	if (!v->unload)
		return mw_keeper_run(&(struct mw_keeper_options){
			.argv = (char *const *)args, .daemon_path = path, .once = v->no_restart, .say = say_line});
	execv(path, (char *const *)args);
	mw_say_error(cli, "%s: %s", path, strerror(errno));
	return MW_EXIT_FAILURE;
}

const struct mw_verb mw_verb_daemon = {
	.name = "daemon",
	.args = "[--dry-run] [--unload] [--config FILE] ...",
	.summary = "be the guard: the keeper, which starts and watches the daemon program",
	.max_args = -1,
	.options = rows,
	.run = daemon_run,
};
