/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a scan found, when the rights to find it are gone. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "containers/scan.h"
#include "util/cleanup.h"

void mw_scan_free(struct mw_scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		mw_close(&s->sources[i].fd);
	free(s->sources);
	s->sources = NULL;
	s->n = 0;
}

int mw_source_read(const struct mw_source *s, char **ret_text, size_t *ret_n)
{
	_cleanup_free_ char *text = malloc(s->size + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	/* What it grew by since it was opened is not read: a truncated file is none, and refused as such. */
	while (n < s->size) {
		ssize_t r = pread(s->fd, text + n, s->size - n, (off_t)n);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (!r)
			break;
		n += r < 0 ? 0 : (size_t)r;
	}
	text[n] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_n = n;
	return 0;
}
