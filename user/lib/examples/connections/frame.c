// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "frame.h"

#include <string.h>

enum frame frame_next(const char *data, size_t from, size_t bytes, size_t room, const char **ret_line,
		      size_t *ret_bytes, size_t *ret_next)
{
	const char *end = bytes > from ? memchr(data + from, '\n', bytes - from) : NULL;
	size_t length;

	if (!end)
		return from == 0 && bytes == room ? FRAME_TOO_LONG : FRAME_PART;
	length = (size_t)(end - data) - from;
	*ret_next = from + length + 1;
	if (length && data[from + length - 1] == '\r')
		length--;
	*ret_line = data + from;
	*ret_bytes = length;
	return FRAME_LINE;
}
