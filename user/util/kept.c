/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/kept.h"

#include <stdlib.h>
#include <string.h>

struct mw_kept *mw_kept_new(const char *text, size_t size)
{
	struct mw_kept *k = malloc(sizeof(*k) + size + 1);

	if (!k)
		return NULL;
	k->holders = 1;
	k->size = size;
	memcpy(k->text, text, size);
	k->text[size] = '\0';
	return k;
}

struct mw_kept *mw_kept_hold(struct mw_kept *k)
{
	if (k)
		__atomic_add_fetch(&k->holders, 1, __ATOMIC_RELAXED);
	return k;
}

void mw_kept_drop(struct mw_kept *k)
{
	if (k && __atomic_sub_fetch(&k->holders, 1, __ATOMIC_ACQ_REL) == 0)
		free(k);
}
