/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A verb of the command line: a row with its options, one verb a file. */
#ifndef MW_VERB_H
#define MW_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "util/options.h"

/* Exit codes. */
enum {
	MW_EXIT_OK = 0,
	MW_EXIT_FAILURE = 1,
	MW_EXIT_USAGE = 2,
	MW_EXIT_WARNING = 3, /* check, plan */
	MW_EXIT_ERROR = 4, /* check, plan */
	MW_EXIT_RUN_FAILED = 125, /* run: its own failure; the worker's codes are below */
	MW_EXIT_RUN_CANNOT = 126, /* run: found and not executable */
	MW_EXIT_RUN_MISSING = 127, /* run: not found */
};

#define MW_VERB_VALUES_MAX 256 /* bytes a verb's structure of values may take */
#define MW_DEFAULT_SOCKET  "/run/memweir/memweir.sock"

struct mw_verb;

/* What every verb gets. */
struct mw_cli {
	const struct mw_verb *verb;
	const char *socket; /* the daemon's */
	const void *values; /* the verb's own structure, filled from its option rows */
};

struct mw_verb {
	const char *name;
	const char *args; /* for the usage line */
	const char *summary; /* one line; NULL: hidden, and last in the list */
	const char *notes; /* more lines for help, or NULL */
	const struct mw_option *options; /* or NULL */
	int min_args, max_args; /* words after the options; max -1: any number */
	bool stop_early; /* options end at the first word */
	int usage_exit; /* 0: MW_EXIT_USAGE */
	bool never_fails; /* wrong usage too exits with 0 */
	int (*run)(const struct mw_cli *cli, int argc, char **argv); /* words only; the exit code */
};

/* All of them, NULL-ended, in the order of help. */
extern const struct mw_verb *const mw_verbs[];

/* "memweir VERB: sentence" on stderr. */
void mw_say_error(const struct mw_cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with where to look further; returns the verb's code for wrong usage. */
int mw_say_usage(const struct mw_cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
