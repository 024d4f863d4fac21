/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What is said about reclaim ahead of a worker; see text.h for the rules. */
#ifndef MW_TEXT_PACE_H
#define MW_TEXT_PACE_H

#include <stddef.h>

#include "core/pace.h"
#include "core/worker.h"

/* "worker x (tool) reclaimed ahead of: takes 3.2 MB/s, uses 41.0 MB of 42.5 MB up to memory.high" */
const char *mw_text_pace_begin(const struct mw_worker *w, const struct mw_pace_input *in, char *buf, size_t size);
/* "worker x (tool) not reclaimed ahead of for 4 s: half of what was freed is wanted back" */
const char *mw_text_pace_held(const struct mw_worker *w, const struct mw_pace_decision *d, char *buf, size_t size);
/* "worker x (tool) no longer reclaimed ahead of: 12 batches freed 34.1 MB so far, 210 ms of the guard's time" */
const char *mw_text_pace_over(const struct mw_worker *w, char *buf, size_t size);

#endif
