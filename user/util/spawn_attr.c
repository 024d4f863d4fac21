/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/spawn_attr.h"

#include <signal.h>

int mw_spawn_attr(posix_spawnattr_t *ret_attr)
{
	sigset_t none, all;
	int r = posix_spawnattr_init(ret_attr);

	if (r)
		return r;
	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(ret_attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(ret_attr, &all);
	r = r ? r : posix_spawnattr_setflags(ret_attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (r)
		posix_spawnattr_destroy(ret_attr);
	return r;
}
