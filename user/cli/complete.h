/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What can stand where the cursor is. Options come from the verbs' own rows, settings from the table of keys, names
 * from the daemon; the shells' files ask `memweir complete` and know nothing themselves.
 */
#ifndef MW_COMPLETE_H
#define MW_COMPLETE_H

/* Where a word comes from. */
enum mw_words {
	MW_WORDS_NONE,
	MW_WORDS_WORKER,
	MW_WORDS_CLASS,
	MW_WORDS_RULE,
	MW_WORDS_INCIDENT,
	MW_WORDS_REPORT, /* what report takes */
	MW_WORDS_SET, /* what set takes */
	MW_WORDS_VERB,
	MW_WORDS_GROUP,
	MW_WORDS_METHOD,
	MW_WORDS_SETTINGS, /* KEY=VALUE,... of a worker */
	MW_WORDS_FILE, /* from here on the shell knows best */
	MW_WORDS_COMMAND,
	MW_WORDS_UNIT,
	MW_WORDS_CONTAINER,
	MW_WORDS_MAX,
};

struct mw_cli;

/* Words of the daemon, one a line, with before in front of each; nothing where there is none or it does not answer
 * within a second. */
void mw_complete_ask(const struct mw_cli *cli, enum mw_words words, const char *before);
/* Which words an option's value takes, by the verb and what its row calls the value. */
enum mw_words mw_complete_value(const char *verb, const char *option, const char *arg);
/* Which words a verb takes that are no options. */
enum mw_words mw_complete_word(const char *verb);

#endif
