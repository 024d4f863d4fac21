/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The part of memweir-symbols that has no rights, asked who called whom. */
#ifndef MW_UNWIND_H
#define MW_UNWIND_H

#include "symbols/open.h"

/* One answer for each of the question's stacks. Debug files are fetched through sock until deadline_ns. -ENOMEM. */
int mw_unwind(const struct mw_question *q, struct mw_opened *o, int sock, __u64 deadline_ns,
	      struct mw_unwound *ret_unwound);

#endif
