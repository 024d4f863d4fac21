/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "util/cleanup.h"

#define WINDOW_GZIP (15 + 16) /* the largest window, and a gzip head instead of zlib's */
#define MEMORY	    8 /* zlib's own default */

int mw_gzip(const void *bytes, size_t n, void **ret_bytes, size_t *ret_n)
{
	z_stream z = {.next_in = (Bytef *)bytes, .avail_in = (uInt)n}; /* only read */
	_cleanup_free_ void *out = NULL;
	size_t room;
	int r;

	if (n > INT_MAX)
		return -E2BIG;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	room = deflateBound(&z, (uLong)n);
	out = malloc(room);
	z.next_out = out;
	z.avail_out = (uInt)room;
	r = out ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	deflateEnd(&z);
	if (r != Z_STREAM_END)
		return -ENOMEM;
	*ret_n = z.total_out;
	*ret_bytes = TAKE_PTR(out);
	return 0;
}
