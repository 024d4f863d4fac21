/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* hibernate, freeze, thaw, kill: one request each, which differ in a word. */
#ifndef MW_ACT_H
#define MW_ACT_H

#include "cli/verb.h"

extern const struct mw_option mw_act_options[];
/* The verb's name is the action's. */
int mw_act_run(const struct mw_cli *cli, int argc, char **argv);

#define MW_ACT_VERB(action, text)                                                                                      \
	const struct mw_verb mw_verb_##action = {                                                                      \
		.name = #action,                                                                                       \
		.args = "[--dry-run] WORKER",                                                                          \
		.summary = (text),                                                                                     \
		.options = mw_act_options,                                                                             \
		.min_args = 1,                                                                                         \
		.max_args = 1,                                                                                         \
		.run = mw_act_run,                                                                                     \
	}

#endif
