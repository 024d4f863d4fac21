/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* From files that are open to the containers a question means. Parses; needs no rights at all. */
#ifndef MW_MATCH_H
#define MW_MATCH_H

#include "containers/scan.h"

/*
 * How well a container fits; less is better, -1: not at all. By name: its ID, its name, the beginning of its ID. By
 * cgroup: its own or above (the innermost wins), below.
 */
int mw_found_rank(const struct mw_found *f, const struct mw_container_question *q);

/*
 * Root's engines first: where one of theirs fits, no file of another user is parsed. Of those that fit best at most
 * MW_FOUND_MAX go into the answer, which already counts what the scan could not open. 0 or -ENOMEM.
 */
int mw_match(const struct mw_scan *scan, const struct mw_container_question *q, struct mw_answer *answer);

#endif
