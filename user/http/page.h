/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The files of user/http/page, as they were when the daemon was built. */
#ifndef MW_PAGE_H
#define MW_PAGE_H

#include <stddef.h>

struct mw_page_file {
	const char *path; /* "main.js", "vendor/uPlot.css" */
	const char *type; /* "text/css; charset=utf-8" */
	const char *data; /* read-only, and part of the program: nothing is copied or freed */
	size_t size;
	const char *etag; /* of the bytes, unquoted */
};

extern const struct mw_page_file mw_page_files[]; /* scripts/embed-page */
extern const size_t mw_page_files_n;

/* "index.html" for "". NULL: there is no such file. */
const struct mw_page_file *mw_page_find(const char *path);

#endif
