/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Lines about the freeze rung, as text.h has them about the others. */
#ifndef MW_TEXT_HOLD_H
#define MW_TEXT_HOLD_H

#include "core/worker.h"

/* "worker x (batch) frozen for 2 s at most: 43.1 MB, over its memory.high of 40.0 MB, and nothing was freed" */
const char *mw_text_freeze_begin(const struct mw_worker *w, __u64 used, char *buf, size_t size);
/* "worker x (batch) thawed after 2 s: its time was over, 3.1 MB freed while it stood still, 40.0 MB left" */
const char *mw_text_freeze_end(const struct mw_worker *w, enum mw_freeze_end end, __u64 freed, __u64 took_ns, char *buf,
			       size_t size);
/* "worker x (batch) not frozen: somebody else had frozen it" */
const char *mw_text_freeze_not(const struct mw_worker *w, enum mw_freeze_end end, char *buf, size_t size);
/*
 * For an incident: "x stayed over its soft limit of 40.0 MB (memory.high) with 43.1 MB, so memweir froze it for 2 s
 * (strict); 3.1 MB was freed meanwhile"
 */
const char *mw_text_freeze_why(const struct mw_worker *w, __u64 used, __u64 freed, __u64 took_ns, char *buf,
			       size_t size);

#endif
