/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "http/page.h"

#include <string.h>

const struct mw_page_file *mw_page_find(const char *path)
{
	const char *wanted = path[0] ? path : "index.html";

	for (size_t i = 0; i < mw_page_files_n; i++)
		if (strcmp(mw_page_files[i].path, wanted) == 0)
			return &mw_page_files[i];
	return NULL;
}
