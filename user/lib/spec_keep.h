/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* JSON pointers into what would be left out: found in one pass over a document, kept in the next. */
#ifndef MW_LIB_SPEC_KEEP_H
#define MW_LIB_SPEC_KEEP_H

#include <stdbool.h>
#include <stddef.h>

struct mw_spec_keep {
	char **pointers; /* "/components/examples/a", decoded but for ~0 and ~1 */
	size_t n, room;
	bool extensions_stay;
};

void mw_spec_keep_free(struct mw_spec_keep *k);

/*
 * A reference as it stands in a JSON string (raw is changed). 1: it points into what is left out, and is new; 0: it
 * does not, or is known; -E2BIG: too many; -ENOMEM.
 */
int mw_spec_keep_note(struct mw_spec_keep *k, char *raw, size_t len);

/* Something noted is at pointer, or below it. */
bool mw_spec_keep_has(const struct mw_spec_keep *k, const char *pointer, size_t len);

#endif
