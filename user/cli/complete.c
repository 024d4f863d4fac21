/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * memweir complete -- WORD...: what can stand for the last word, for the shells. A line each, "WORD<tab>HINT";
 * ":files",
 * ":commands", ":units" and ":containers" leave it to the shell. Hidden; never fails, and never asks for long.
 */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "cli/verb.h"
#include "core/config_words.h"
#include "util/cleanup.h"

/* The line as far as it is read. */
struct line {
	const struct mw_verb *verb; /* NULL: none yet */
	const struct mw_option *waits; /* the option whose value the last word is */
	const char *words[4]; /* of the verb, before the last one */
	int n_words;
	char before[512]; /* what stands in front of each word: "--class=" */
	bool plain; /* behind "--": no options any more */
	struct mw_cli cli;
};

static const struct mw_option globals[] = {
	{"socket", 0, MW_OPT_TEXT, 0, "PATH", "the daemon's socket"},
	{"help", 'h', MW_OPT_FLAG, 0, NULL, "explain it"},
	{"version", 'V', MW_OPT_FLAG, 0, NULL, "print the version"},
	{NULL},
};

static const struct mw_option *find_in(const struct mw_option *rows, const char *word, size_t n)
{
	for (const struct mw_option *o = rows; o && o->name; o++) {
		if (n == 2 && word[1] != '-' ? o->letter == word[1]
					     : n > 2 && strlen(o->name) == n - 2 && !strncmp(o->name, word + 2, n - 2))
			return o;
	}
	return NULL;
}

static const struct mw_option *find_option(const struct line *l, const char *word)
{
	size_t n = strcspn(word, "=");
	const struct mw_option *o = l->verb ? find_in(l->verb->options, word, n) : NULL;

	return o ? o : find_in(globals, word, n);
}

static const struct mw_verb *find_verb(const char *name)
{
	for (size_t i = 0; mw_verbs[i]; i++) {
		if (strcmp(mw_verbs[i]->name, name) == 0)
			return mw_verbs[i];
	}
	return NULL;
}

/* One word before the last. */
static void take(struct line *l, const char *word)
{
	const struct mw_option *waits = l->waits, *o;

	l->waits = NULL;
	if (waits) {
		if (strcmp(waits->name, "socket") == 0)
			l->cli.socket = word;
	} else if (!l->plain && strcmp(word, "--") == 0) {
		l->plain = true;
	} else if (!l->plain && word[0] == '-' && word[1]) {
		o = find_option(l, word);
		if (o && (o->kind == MW_OPT_TEXT || o->kind == MW_OPT_NUMBER) && !strchr(word, '='))
			l->waits = o;
	} else if (!l->verb) {
		l->verb = find_verb(word);
	} else {
		if (l->n_words < (int)ARRAY_SIZE(l->words))
			l->words[l->n_words] = word;
		l->n_words++;
		l->plain |= l->verb->stop_early;
	}
}

static void print_options(const struct mw_option *rows, bool version)
{
	for (const struct mw_option *o = rows; o && o->name; o++) {
		bool wants = o->kind == MW_OPT_TEXT || o->kind == MW_OPT_NUMBER;

		if (o->help && (version || o->letter != 'V' || rows != globals))
			printf("--%s%s\t%s\n", o->name, wants ? "=" : "", o->help);
	}
}

static void print_verbs(void)
{
	for (size_t i = 0; mw_verbs[i]; i++) {
		if (mw_verbs[i]->summary)
			printf("%s\t%s\n", mw_verbs[i]->name, mw_verbs[i]->summary);
	}
}

static void print_list(const struct line *l, const char *const *list)
{
	for (; *list; list++)
		printf("%s%s\n", l->before, *list);
}

static void words_of_set(const struct line *l, const char *last)
{
	static const char *const targets[] = {"worker", "class", "rule", "monitor", "tree", NULL};
	const char *target = l->n_words ? l->words[0] : "";
	bool named = strcmp(target, "monitor") != 0 && strcmp(target, "tree") != 0;

	if (l->n_words == 0)
		print_list(l, targets);
	else if (!named || l->n_words > 1)
		mw_config_words(target, last, "", stdout);
	else
		mw_complete_ask(&l->cli,
				target[0] == 'w'   ? MW_WORDS_WORKER
				: target[0] == 'c' ? MW_WORDS_CLASS
						   : MW_WORDS_RULE,
				l->before);
}

static void words_of_report(const struct line *l)
{
	static const char *const reports[] = {"leaks", "pauses", "incidents", "rules", NULL};

	if (l->n_words == 0) {
		print_list(l, reports);
		mw_complete_ask(&l->cli, MW_WORDS_WORKER, l->before);
		mw_complete_ask(&l->cli, MW_WORDS_INCIDENT, l->before);
	} else if (l->n_words == 1 && strcmp(l->words[0], "pauses") == 0) {
		mw_complete_ask(&l->cli, MW_WORDS_WORKER, l->before);
	} else if (l->n_words == 1 && strcmp(l->words[0], "incidents") == 0) {
		mw_complete_ask(&l->cli, MW_WORDS_INCIDENT, l->before);
	}
}

/* max_heap=20MB,pol: what stands before the last comma stays in front. */
static void words_of_settings(const struct line *l, const char *last)
{
	const char *comma = strrchr(last, ',');
	char before[2048];

	snprintf(before, sizeof(before), "%s%.*s", l->before, comma ? (int)(comma + 1 - last) : 0, last);
	mw_config_words("worker", comma ? comma + 1 : last, before, stdout);
}

static void print_words(const struct line *l, enum mw_words words, const char *last)
{
	static const char *const groups[] = {"class", "worker", "file", NULL};
	static const char *const methods[] = {"windows", "regression", NULL};

	switch (words) {
	case MW_WORDS_REPORT:
		return words_of_report(l);
	case MW_WORDS_SET:
		return words_of_set(l, last);
	case MW_WORDS_VERB:
		return print_verbs();
	case MW_WORDS_GROUP:
		return print_list(l, groups);
	case MW_WORDS_METHOD:
		return print_list(l, methods);
	case MW_WORDS_SETTINGS:
		return words_of_settings(l, last);
	case MW_WORDS_COMMAND:
		puts(l->n_words ? ":files" : ":commands");
		return;
	case MW_WORDS_FILE:
	case MW_WORDS_UNIT:
	case MW_WORDS_CONTAINER:
		puts(words == MW_WORDS_FILE ? ":files" : words == MW_WORDS_UNIT ? ":units" : ":containers");
		return;
	default:
		return mw_complete_ask(&l->cli, words, l->before);
	}
}

static void print_value(const struct line *l, const struct mw_option *o, const char *last)
{
	if (o->arg)
		print_words(l, mw_complete_value(l->verb ? l->verb->name : "", o->name, o->arg), last);
}

static int complete_run(const struct mw_cli *cli, int argc, char **argv)
{
	const char *last = argv[argc - 1], *equals = strchr(last, '=');
	struct line l = {.cli = *cli};
	const struct mw_option *o;

	for (int i = 0; i < argc - 1; i++)
		take(&l, argv[i]);
	if (l.waits) {
		print_value(&l, l.waits, last);
	} else if (!l.plain && strncmp(last, "--", 2) == 0 && equals) {
		o = find_option(&l, last);
		snprintf(l.before, sizeof(l.before), "%.*s", (int)(equals + 1 - last), last);
		if (o)
			print_value(&l, o, equals + 1);
	} else if (!l.plain && last[0] == '-') {
		print_options(l.verb ? l.verb->options : NULL, false);
		print_options(globals, !l.verb);
	} else if (!l.verb) {
		print_verbs();
	} else {
		print_words(&l, mw_complete_word(l.verb->name), last);
	}
	return MW_EXIT_OK;
}

const struct mw_verb mw_verb_complete = {
	.name = "complete",
	.args = "-- WORD...",
	.min_args = 1,
	.max_args = -1,
	.never_fails = true,
	.run = complete_run,
};
