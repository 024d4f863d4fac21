/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The settings as words, for completion. */
#ifndef MW_CONFIG_WORDS_H
#define MW_CONFIG_WORDS_H

#include <stdio.h>

/*
 * What can stand for KEY=VALUE of a section ("class", "worker", "rule", "monitor", "tree"), a line each: "KEY=" and,
 * after a tab, its one-line meaning; where word holds a KEY= already, "KEY=VALUE" for each value there is a list of.
 * before: what goes in front of each. Another section: nothing.
 */
void mw_config_words(const char *section, const char *word, const char *before, FILE *out);

#endif
