/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/libexec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *mw_libexec(const char *program, char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	if (n > 0) {
		buf[n] = '\0';
		slash = strrchr(buf, '/');
		if (slash && (size_t)(slash + 1 - buf) + strlen(program) < size) {
			strcpy(slash + 1, program);
			if (access(buf, X_OK) == 0)
				return buf;
		}
	}
	snprintf(buf, size, "%s/%s", MW_LIBEXEC, program);
	return buf;
}
