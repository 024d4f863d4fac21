/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* stdio would allocate and ask what kind of file it is: plain writes, of all or nothing. */
int mw_reply(const char *text)
{
	for (size_t n = strlen(text), done = 0; done < n;) {
		ssize_t w = write(STDOUT_FILENO, text + done, n - done);

		if (w < 0 && errno != EINTR)
			return 1;
		done += w < 0 ? 0 : (size_t)w;
	}
	return 0;
}

/* The sentence is ours and holds names at most, never what is in a file; still, a quote would end the text. */
int mw_reply_error(struct mw_error *err, int code)
{
	char text[sizeof(err->text) + 32];

	for (char *c = *err->text ? err->text : strcpy(err->text, strerror(-code)); *c; c++) {
		if (*c == '"' || *c == '\\' || *c < ' ' || *c > '~')
			*c = '?';
	}
	snprintf(text, sizeof(text), "{\"error\":\"%.190s\",\"errno\":%d}", err->text, -code);
	return mw_reply(text);
}
