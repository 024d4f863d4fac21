/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Apart from the rules: whoever only prints needs no configuration. */
#include <errno.h>
#include <string.h>

#include "core/rule.h"
#include "util/cleanup.h"

static const char *const names[] = {
	[MW_FROM_NOBODY] = "nobody",
	[MW_FROM_COMMAND_LINE] = "command-line",
	[MW_FROM_RULE] = "rule",
	[MW_FROM_TRUSTED_XATTR] = "trusted-xattr",
	[MW_FROM_ANNOTATION] = "annotation",
	[MW_FROM_USER_XATTR] = "user-xattr",
	[MW_FROM_SLICE] = "slice",
	[MW_FROM_LABEL] = "label",
};
_Static_assert(ARRAY_SIZE(names) == MW_FROM_MAX, "a name for each source");

const char *mw_class_from_name(enum mw_class_from from)
{
	return (unsigned int)from < MW_FROM_MAX ? names[from] : "unknown";
}

int mw_class_from_parse(const char *text, enum mw_class_from *ret_from)
{
	for (int i = 0; i < MW_FROM_MAX; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret_from = (enum mw_class_from)i;
		return 0;
	}
	return -EINVAL;
}
