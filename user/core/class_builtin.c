/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/class_builtin.h"

#include <string.h>

const struct mw_class_builtin mw_class_builtins[] = {
	{"context", 100000000, 0.90},
	{"tool", 50000000, 0.85},
	{"transport", 30000000, 0.80},
	{"generic", 20000000, 0.80},
	{0},
};

const struct mw_class_builtin *mw_class_builtin(const char *name)
{
	for (const struct mw_class_builtin *b = mw_class_builtins; b->name; b++) {
		if (strcmp(b->name, name) == 0)
			return b;
	}
	return NULL;
}
