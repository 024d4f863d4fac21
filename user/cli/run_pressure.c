/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/run_pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "util/cleanup.h"

void mw_run_pressure_env(const char *path)
{
	if (!*path)
		return;
	setenv("MEMORY_PRESSURE_WATCH", path, 1);
	unsetenv("MEMORY_PRESSURE_WRITE"); /* what is written into a FIFO would come back as pressure */
}

int mw_run_pressure_hold(const char *path)
{
	/* Without a reader the writing end cannot be opened; we must not stay one, or nobody listening looks like us.
	 */
	_cleanup_close_ int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	int writer;

	if (reader < 0)
		return -errno;
	writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	return writer < 0 ? -errno : writer;
}
