// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What a guard asks the daemon. */
#include "lib/guard_impl.h"

#include <errno.h>
#include <stdio.h>

int mw_guard_ask(struct memweir_guard *g)
{
	snprintf(g->why_daemon, sizeof(g->why_daemon), "it was not asked");
	return -ECONNREFUSED;
}

int mw_guard_join(struct memweir_guard *g)
{
	(void)g;
	return -ECONNREFUSED;
}

void mw_guard_tighten(struct memweir_guard *g)
{
	(void)g;
}

int mw_guard_ask_hibernate(struct memweir_guard *g)
{
	(void)g;
	return -ECONNREFUSED;
}
