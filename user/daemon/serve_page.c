/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The page a browser shows: files that are part of the daemon. What they show they ask for like everybody else. */
#include <errno.h>

#include "daemon/serve.h"
#include "http/page.h"

void mw_serve_page(struct mw_guard *g, struct mw_request *r, const char *rest)
{
	const struct mw_page_file *file = mw_page_find(rest);

	(void)g;
	if (!file)
		return mw_serve_error(r, -ENOENT, "the page has no such file");
	mw_request_answer_file(r, 200, file->type, file->data, file->size, file->etag);
}
