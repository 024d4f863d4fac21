/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/libexec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *mw_libexec_daemon(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	if (n > 0) {
		buf[n] = '\0';
		slash = strrchr(buf, '/');
		if (slash && (size_t)(slash + 1 - buf) + sizeof(MW_DAEMON_PROGRAM) <= size) {
			memcpy(slash + 1, MW_DAEMON_PROGRAM, sizeof(MW_DAEMON_PROGRAM));
			if (access(buf, X_OK) == 0)
				return buf;
		}
	}
	snprintf(buf, size, "%s/%s", MW_LIBEXEC, MW_DAEMON_PROGRAM);
	return buf;
}
