// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Parts of a program that have names, as they come and go. Nothing here looks into them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/guard_impl.h"
#include "util/cleanup.h"

#define LOCK_S 2
#define POOLS  (MW_FIGURE_OF_POOL | MW_FIGURE_OF_BYTES)

/* With the lock held. Pools and byte pools share their places and their names. */
static int find_place(struct mw_guard_figures *f, enum mw_figure_of of, const char *name, struct mw_guard_part **ret)
{
	unsigned int kin = of & POOLS ? POOLS : (unsigned int)of, n = 0;
	struct mw_guard_part *place = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(f->parts); i++) {
		struct mw_guard_part *p = &f->parts[i];

		if (!p->name[0])
			place = place ? place : p;
		else if (p->of & kin && strcmp(p->name, name) == 0)
			return -EEXIST;
		else
			n += (p->of & kin) != 0;
	}
	if (!place || n >= (of & POOLS ? MW_FIGURES_POOLS : MW_FIGURES_LIMITERS))
		return -ENOSPC;
	*ret = place;
	return 0;
}

/* False: it was held when this process was forked, and nobody will let go of it here; nothing is reported then either.
 */
static bool lock_parts(struct mw_guard_figures *f)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LOCK_S;
	return pthread_mutex_timedlock(&f->lock, &end) == 0;
}

int mw_lib_guard_show(struct memweir_guard *guard, enum mw_figure_of of, const char *name, const void *what)
{
	struct mw_guard_part *place;
	int r;

	if (!guard || !name)
		return 0;
	if (!mw_figure_name_valid(name))
		return -EINVAL;
	if (!lock_parts(&guard->figures))
		return 0;
	r = find_place(&guard->figures, of, name, &place);
	if (r >= 0) {
		snprintf(place->name, sizeof(place->name), "%s", name);
		place->of = of;
		place->what = what;
	}
	pthread_mutex_unlock(&guard->figures.lock);
	return r < 0 ? r : 1;
}

void mw_lib_guard_hide(struct memweir_guard *guard, const void *what)
{
	if (!guard || !lock_parts(&guard->figures))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(guard->figures.parts); i++) {
		if (guard->figures.parts[i].what == what)
			guard->figures.parts[i] = (struct mw_guard_part){0};
	}
	pthread_mutex_unlock(&guard->figures.lock);
}
