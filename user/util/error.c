/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>

int mw_fail(struct mw_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}
