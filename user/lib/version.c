// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <memweir/lib.h>

const char *memweir_version(void)
{
	return MW_VERSION;
}
