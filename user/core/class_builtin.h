/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The classes that are there without any configuration; libmemweir shares them. */
#ifndef MW_CLASS_BUILTIN_H
#define MW_CLASS_BUILTIN_H

#include <linux/types.h>

/* What a built-in class has other than the defaults of the table (core/config_keys.c). */
struct mw_class_builtin {
	const char *name; /* NULL: the end */
	__u64 max_heap; /* bytes; max_bin_heap follows from it: mw_profile_bin_auto */
	double hibernate_threshold;
};
extern const struct mw_class_builtin mw_class_builtins[];

const struct mw_class_builtin *mw_class_builtin(const char *name); /* NULL: none of this name */

#endif
