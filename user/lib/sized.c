// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/sized.h"

#include <errno.h>
#include <string.h>

#define SIZE_MAX_SANE 4096

static int check(const void *theirs, size_t *ret_size)
{
	size_t size;

	memcpy(&size, theirs, sizeof(size));
	if (size < sizeof(size) || size > SIZE_MAX_SANE)
		return -EINVAL;
	*ret_size = size;
	return 0;
}

int mw_sized_in(void *ours, size_t our_size, const void *from)
{
	const unsigned char *p = from;
	size_t size;
	int r;

	if (!from) {
		memset(ours, 0, our_size);
		memcpy(ours, &our_size, sizeof(our_size));
		return 0;
	}
	r = check(from, &size);
	if (r < 0)
		return r;
	for (size_t i = our_size; i < size; i++)
		if (p[i])
			return -E2BIG;
	memset(ours, 0, our_size);
	memcpy(ours, from, size < our_size ? size : our_size);
	memcpy(ours, &our_size, sizeof(our_size));
	return 0;
}

int mw_sized_out(void *to, const void *ours, size_t our_size)
{
	unsigned char *p = to;
	size_t size;
	int r;

	r = check(to, &size);
	if (r < 0)
		return r;
	memcpy(p + sizeof(size), (const unsigned char *)ours + sizeof(size),
	       (size < our_size ? size : our_size) - sizeof(size));
	if (size > our_size)
		memset(p + our_size, 0, size - our_size);
	return 0;
}
