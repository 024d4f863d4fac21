/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/root.h"

int mw_root_existing(const char *mount, const char *configured, char *ret_root, size_t size)
{
	const char *candidates[] = {configured[0] ? configured : MW_ROOT_SLICE "/" MW_ROOT_SCOPE,
				    configured[0] ? NULL : MW_ROOT_PLAIN};
	char path[4096];

	for (int i = 0; i < 2 && candidates[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", mount, candidates[i]);
		if (access(path, F_OK) == 0 && snprintf(ret_root, size, "%s", candidates[i]) < (int)size)
			return 0;
	}
	return -ENOENT;
}
