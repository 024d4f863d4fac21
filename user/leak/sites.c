/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/sites.h"

#include <stdlib.h>

void mw_sites_free(struct mw_sites *s)
{
	if (!s)
		return;
	mw_kept_drop(s->list);
	mw_kept_drop(s->lines);
	mw_heap_free(&s->before);
	free(s->objects);
	free(s);
}
