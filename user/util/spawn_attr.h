/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What every program that we start with posix_spawn() begins with. */
#ifndef MW_SPAWN_ATTR_H
#define MW_SPAWN_ATTR_H

#include <spawn.h>

/* No signal blocked, none handled or ignored, whatever we do with ours. 0: destroy it after use; else an errno. */
int mw_spawn_attr(posix_spawnattr_t *ret_attr);

#endif
