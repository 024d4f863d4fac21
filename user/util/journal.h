/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef MW_JOURNAL_H
#define MW_JOURNAL_H

#include <stdbool.h>

/*
 * Does fd go to the journal, so that a line may begin with its priority, "<4>"? $JOURNAL_STREAM is inherited by
 * those whose output goes elsewhere: what it says is compared with the descriptor (systemd.exec(5)).
 */
bool mw_journal_on(int fd);

#endif
