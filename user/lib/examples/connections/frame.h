/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Lines in a buffer that fills up piece by piece. */
#ifndef CONNECTIONS_FRAME_H
#define CONNECTIONS_FRAME_H

#include <stddef.h>

enum frame {
	FRAME_LINE, /* a whole line: *ret_line, *ret_bytes without its end, *ret_next behind it */
	FRAME_PART, /* not yet: read on */
	FRAME_TOO_LONG, /* the buffer is full, and no line ends in it */
};

/*
 * The next line of data[from, bytes) in a buffer of room bytes. A line ends with LF or CR LF. FRAME_TOO_LONG only when
 * from is 0: otherwise what was answered can be thrown away first.
 */
enum frame frame_next(const char *data, size_t from, size_t bytes, size_t room, const char **ret_line,
		      size_t *ret_bytes, size_t *ret_next);

#endif
