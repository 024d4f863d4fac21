// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_out.h"

#include <errno.h>
#include <string.h>

int mw_spec_out_flush(struct mw_spec_out *o)
{
	int r = o->len ? o->write(o->arg, o->bytes, o->len) : 0;

	o->len = 0;
	return r > 0 ? -EINVAL : r;
}

int mw_spec_out_put(struct mw_spec_out *o, const char *bytes, size_t count)
{
	o->total += count;
	while (count) {
		size_t n = sizeof(o->bytes) - o->len;
		int r;

		n = n < count ? n : count;
		memcpy(o->bytes + o->len, bytes, n);
		o->len += n;
		bytes += n;
		count -= n;
		r = o->len == sizeof(o->bytes) ? mw_spec_out_flush(o) : 0;
		if (r)
			return r;
	}
	return 0;
}
