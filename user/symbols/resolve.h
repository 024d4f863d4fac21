/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The part of memweir-symbols that has no rights: from files that are open to an answer. */
#ifndef MW_RESOLVE_H
#define MW_RESOLVE_H

#include "symbols/open.h"
#include "symbols/symbols.h"

/* Debug files are fetched through sock until deadline_ns. -ENOMEM. */
int mw_resolve(const struct mw_question *q, struct mw_opened *o, int sock, __u64 deadline_ns,
	       struct mw_symbols *ret_symbols);

/* Build ids and addresses of the modules, as far as their files could be opened. */
void mw_resolve_modules(struct mw_opened *o);

#endif
