/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Options as rows of a table: parsing, checking, --help and completion all come from the row. */
#ifndef MW_OPTIONS_H
#define MW_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/error.h"

enum mw_option_kind {
	MW_OPT_FLAG, /* bool */
	MW_OPT_TEXT, /* const char *, points into argv */
	MW_OPT_NUMBER, /* long, min..max */
	MW_OPT_MAYBE, /* const char *; --name=VALUE points into argv, --name alone is "" */
};

struct mw_option {
	const char *name; /* long name without dashes; NULL ends a table */
	char letter; /* short name; 0: none */
	enum mw_option_kind kind;
	size_t offset; /* of the value in the structure of values */
	const char *arg; /* what help calls the value; NULL for a flag */
	const char *help; /* one line; NULL: hidden from help and completion */
	long min, max; /* of a number */
};

/* A table and the structure its values go to. */
struct mw_option_set {
	const struct mw_option *rows;
	void *values;
};

#define MW_OPTIONS_MAX 32 /* rows of all sets together */

/*
 * Read the options of argv (argv[0] is skipped); a later one of the same name
 * wins. stop_early: the first word that is no option ends them (`run CMD -x`); otherwise they may stand
 * anywhere before "--" and argv is reordered. *ret_first: index of the first word left.
 * 0; 1: -h or --help was given; -EINVAL with a sentence that names the nearest option.
 */
int mw_options_parse(const struct mw_option_set *sets, size_t n_sets, int argc, char **argv, bool stop_early,
		     int *ret_first, struct mw_error *err);

/* The rows as help text, one line each, in two columns. */
void mw_options_help(const struct mw_option *rows, FILE *out);

/* The word of a NULL-ended list that word was most likely meant to be, NULL when none is near. */
const char *mw_nearest(const char *word, const char *const *list);

#endif
