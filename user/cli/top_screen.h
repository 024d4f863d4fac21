/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The terminal. All of ncurses is behind this: what changed of a screen is written, nothing else. */
#ifndef MW_TOP_SCREEN_H
#define MW_TOP_SCREEN_H

#include "cli/top_view.h"
#include "util/error.h"

/* Takes the terminal of standard input and output. -ENOTTY, -ENODEV for a kind of terminal that is not known or cannot
 * move its cursor; err says it. */
int mw_screen_open(struct mw_error *err);
/* As it was before; harmless when it is not open. */
void mw_screen_close(void);
/* Whether it shows UTF-8, and block characters. */
void mw_screen_can(bool *ret_utf8, bool *ret_blocks);
/* As wide and high as it is now. */
void mw_screen_size(int *ret_width, int *ret_height);
/* In one write. again: whatever it shows, all of it. */
void mw_screen_show(const struct mw_canvas *c, bool again);
/* The next key that was pressed, 0: none. */
unsigned mw_screen_key(void);
/* Gives the terminal back and stops; when it goes on, takes it again. */
void mw_screen_stop(void);

#endif
