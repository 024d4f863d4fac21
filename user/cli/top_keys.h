/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What keys do: a table, and where one is on the screen. Pure: a key in, what has to be done out. */
#ifndef MW_TOP_KEYS_H
#define MW_TOP_KEYS_H

#include "cli/top_model.h"

/* Keys that are no character; others are their Unicode point. */
enum mw_top_key {
	MW_KEY_UP = 0x110000,
	MW_KEY_DOWN,
	MW_KEY_PAGE_UP,
	MW_KEY_PAGE_DOWN,
	MW_KEY_HOME,
	MW_KEY_END,
	MW_KEY_LEFT,
	MW_KEY_RIGHT,
	MW_KEY_ENTER,
	MW_KEY_ESCAPE,
	MW_KEY_BACKSPACE,
};

enum mw_top_mode { MW_TOP_LIST, MW_TOP_WORKER, MW_TOP_HELP };

/* What can be done to a worker from here. Killing is not among it: one key away is too near. */
struct mw_top_act {
	unsigned key;
	const char *name; /* the daemon's word for it */
	const char *will; /* what will happen, a sentence that goes on behind the worker's name */
};

enum mw_top_asking {
	MW_ASK_NONE,
	MW_ASK_DRY, /* the dry run is under way */
	MW_ASK_CONFIRM, /* yes or no? */
	MW_ASK_DOING,
};

struct mw_top_ui {
	enum mw_top_mode mode;
	enum mw_top_mode before; /* help was asked for in */
	__u64 chosen; /* the worker the cursor is on, 0: the first, whoever that is */
	size_t first; /* row of the table at the top of the page */
	int page; /* rows of it that are seen */
	int scroll; /* of a worker's screen or of help, rows */
	bool typing; /* the filter */
	char filter_before[64];
	enum mw_top_asking asking;
	const struct mw_top_act *act;
	char act_on[MW_NAME_SIZE];
	char dry[512]; /* what the dry run said */
	char message[512]; /* the last result; the next key takes it away */
	enum mw_top_mood mood; /* of message */
};

/* What the caller has to do after a key. */
enum mw_top_do {
	MW_DO_NOTHING,
	MW_DO_DRAW,
	MW_DO_REPAINT, /* everything: something else has written onto the terminal */
	MW_DO_OPEN, /* ask for the chosen worker's documents */
	MW_DO_DRY, /* POST ui->act of ui->act_on, dry */
	MW_DO_ACT, /* the same in earnest */
	MW_DO_QUIT,
};
enum mw_top_do mw_top_key(struct mw_top *m, struct mw_top_ui *ui, unsigned key);

/* The answer to a dry run, or to the action itself. */
void mw_top_told(struct mw_top_ui *ui, bool good, const char *text);

/* The worker the cursor is on, NULL: the table is empty. Of the drill-down: NULL once it has gone. */
struct mw_top_worker *mw_top_chosen(const struct mw_top *m, const struct mw_top_ui *ui);

/* The help text's row i: the key's name and what it does; false behind the last. */
bool mw_top_key_row(size_t i, const char **ret_key, const char **ret_help);

#endif
