/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/journal.h"

#include <errno.h>
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

bool mw_journal_on(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(fd, &st))
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

static void put(struct mw_entry *e, const void *bytes, size_t n)
{
	memcpy(e->bytes + e->n, bytes, n);
	e->n += n;
}

/* FIELD=value, or where the value has lines of its own: FIELD, its length as 64 bits little-endian, the value. */
void mw_entry_text(struct mw_entry *e, const char *field, const char *value)
{
	size_t name = strlen(field), n = value ? strlen(value) : 0;
	bool lines = n && memchr(value, '\n', n);
	uint64_t length = htole64(n);

	if (!n)
		return;
	if (name + n + 2 + (lines ? sizeof(length) : 0) > sizeof(e->bytes) - e->n) {
		e->left_out++;
		return;
	}
	put(e, field, name);
	put(e, lines ? "\n" : "=", 1);
	if (lines)
		put(e, &length, sizeof(length));
	put(e, value, n);
	put(e, "\n", 1);
}

void mw_entry_number(struct mw_entry *e, const char *field, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	mw_entry_text(e, field, text);
}

int mw_journal_open(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int mw_journal_send(int fd, const char *path, const struct mw_entry *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	if (sendto(fd, e->bytes, e->n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}
