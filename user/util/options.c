/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST_WORD_MAX 32
#define VALUE_ROW	 0x1000 /* getopt_long answers with this + index of the row */

/* All rows of all sets, in the form getopt_long wants beside the form we have. */
struct flat {
	const struct mw_option *rows[MW_OPTIONS_MAX];
	void *values[MW_OPTIONS_MAX];
	struct option longs[MW_OPTIONS_MAX + 2];
	char shorts[2 * MW_OPTIONS_MAX + 4];
	size_t n;
};

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, drop, replace, swap neighbours) from a to b; both at most NEAREST_WORD_MAX. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t d[NEAREST_WORD_MAX + 1][NEAREST_WORD_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min3(d[i][j], d[i - 2][j - 2] + 1, d[i][j]);
		}
	}
	return d[la][lb];
}

const char *mw_nearest(const char *word, const char *const *list)
{
	const char *best = NULL;
	size_t len = strlen(word), best_d = len / 3 + 2; /* one edit for short words, more for long ones */

	if (len == 0 || len > NEAREST_WORD_MAX)
		return NULL;
	for (; *list; list++) {
		size_t l = strlen(*list), d;

		if (l > NEAREST_WORD_MAX)
			continue;
		d = edit_distance(word, *list);
		if (len >= 3 && strncmp(word, *list, len) == 0)
			d = 1; /* a beginning of it */
		if (d < best_d && d < l) {
			best = *list;
			best_d = d;
		}
	}
	return best;
}

static void flatten(const struct mw_option_set *sets, size_t n_sets, bool stop_early, struct flat *ret_flat)
{
	char *s = ret_flat->shorts;

	memset(ret_flat, 0, sizeof(*ret_flat));
	if (stop_early)
		*s++ = '+';
	*s++ = ':'; /* a missing value is told apart from an unknown option */
	*s++ = 'h';
	for (size_t i = 0; i < n_sets; i++) {
		for (const struct mw_option *o = sets[i].rows; o && o->name && ret_flat->n < MW_OPTIONS_MAX; o++) {
			int has_arg = o->kind == MW_OPT_FLAG	? no_argument
				      : o->kind == MW_OPT_MAYBE ? optional_argument
								: required_argument;
			size_t n = ret_flat->n++;

			ret_flat->rows[n] = o;
			ret_flat->values[n] = sets[i].values;
			ret_flat->longs[n] = (struct option){o->name, has_arg, NULL, VALUE_ROW + (int)n};
			if (!o->letter)
				continue;
			*s++ = o->letter;
			if (has_arg == required_argument)
				*s++ = ':';
		}
	}
	ret_flat->longs[ret_flat->n] = (struct option){"help", no_argument, NULL, 'h'};
}

static int store(const struct mw_option *o, void *values, const char *text, struct mw_error *err)
{
	char *where = (char *)values + o->offset, *end;
	long number;

	switch (o->kind) {
	case MW_OPT_FLAG:
		*(bool *)where = true;
		return 0;
	case MW_OPT_TEXT:
		if (!*text)
			return mw_fail(err, -EINVAL, "--%s is empty, expected %s", o->name, o->arg);
		*(const char **)where = text;
		return 0;
	case MW_OPT_NUMBER:
		errno = 0;
		number = strtol(text, &end, 10);
		if (errno || end == text || *end || number < o->min || number > o->max)
			return mw_fail(err, -EINVAL, "--%s \"%s\": expected a number from %ld to %ld", o->name, text,
				       o->min, o->max);
		*(long *)where = number;
		return 0;
	case MW_OPT_MAYBE:
		if (text && !*text)
			return mw_fail(err, -EINVAL, "--%s= is empty, expected %s", o->name, o->arg);
		*(const char **)where = text ? text : "";
		return 0;
	}
	return -EINVAL;
}

/* What getopt_long did not know, in words. word: the argument it stood in. */
static int unknown(const struct flat *f, const char *word, struct mw_error *err)
{
	const char *names[MW_OPTIONS_MAX + 2], *near;
	char name[NEAREST_WORD_MAX + 1] = "";

	if (strncmp(word, "--", 2) != 0)
		return mw_fail(err, -EINVAL, "unknown option -%c", optopt);
	for (size_t i = 0; i < f->n; i++)
		names[i] = f->rows[i]->name;
	names[f->n] = "help";
	names[f->n + 1] = NULL;
	if (strcspn(word + 2, "=") <= NEAREST_WORD_MAX)
		memcpy(name, word + 2, strcspn(word + 2, "="));
	if (optopt) /* getopt_long sets it for a flag that was given a value */
		return mw_fail(err, -EINVAL, "--%s takes no value", name);
	near = mw_nearest(name, names);
	if (near)
		return mw_fail(err, -EINVAL, "unknown option %s: did you mean --%s?", word, near);
	return mw_fail(err, -EINVAL, "unknown option %s", word);
}

static const struct mw_option *row_of(const struct flat *f, int c, void **ret_values)
{
	for (size_t i = 0; i < f->n; i++) {
		if (c == VALUE_ROW + (int)i || (f->rows[i]->letter && c == f->rows[i]->letter)) {
			*ret_values = f->values[i];
			return f->rows[i];
		}
	}
	return NULL;
}

int mw_options_parse(const struct mw_option_set *sets, size_t n_sets, int argc, char **argv, bool stop_early,
		     int *ret_first, struct mw_error *err)
{
	struct flat f;
	int c;

	flatten(sets, n_sets, stop_early, &f);
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((c = getopt_long(argc, argv, f.shorts, f.longs, NULL)) != -1) {
		const struct mw_option *o;
		void *values = NULL;
		int r;

		if (c == 'h')
			return 1;
		if (c == '?')
			return unknown(&f, argv[optind - 1], err);
		o = row_of(&f, c == ':' ? optopt : c, &values);
		if (c == ':')
			return mw_fail(err, -EINVAL, "%s wants a value: %s", argv[optind - 1], o ? o->arg : "?");
		if (!o)
			return -EINVAL;
		r = store(o, values, optarg, err);
		if (r < 0)
			return r;
	}
	*ret_first = optind;
	return 0;
}

void mw_options_help(const struct mw_option *rows, FILE *out)
{
	for (const struct mw_option *o = rows; o && o->name; o++) {
		char left[64], letter[5] = "    ";

		if (!o->help)
			continue;
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		if (o->kind == MW_OPT_MAYBE)
			snprintf(left, sizeof(left), "%s--%s[=%s]", letter, o->name, o->arg);
		else
			snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? " " : "",
				 o->arg ? o->arg : "");
		fprintf(out, "  %-28s %s\n", left, o->help);
	}
}
