/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Functions by the symbol tables of one or more images. */
#ifndef MW_SYMTAB_H
#define MW_SYMTAB_H

#include "symbols/image.h"

#define MW_SYMTAB_MAX 4000000U /* symbols kept of one module */

struct mw_symbol {
	__u64 address, size; /* where not said, as far as it may reach */
	const char *name; /* in the image */
	__u32 rank; /* of several in one place the highest: global before weak before local */
};
struct mw_symtab {
	struct mw_symbol *at;
	size_t n;
};

/* .symtab and .dynsym, as far as they are there. The image has to stay. -ENOMEM. */
int mw_symtab_add(struct mw_symtab *t, const struct mw_image *i);
/* Once all are added. */
void mw_symtab_sort(struct mw_symtab *t);
void mw_symtab_free(struct mw_symtab *t);

/* The function an address of the image is in, mangled; NULL: none. */
const char *mw_symtab_find(const struct mw_symtab *t, __u64 address);

#endif
