/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/heap_region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "leak/in_memory.h"
#include "util/cleanup.h"

#define MAPS_BYTES_MAX (16UL << 20) /* of a process's maps: some 100,000 mappings */
#define LONGEST	       (MW_HEAP_RECORDS_AT_MAX + MW_HEAP_RECORDS_MAX * sizeof(struct mw_heap_record))

struct line {
	unsigned long long begin, end, offset, inode;
	char mode[5];
	unsigned int major, minor;
	const char *name; /* "" without */
};

static bool read_line(const char *text, struct line *ret)
{
	int at = 0;

	if (sscanf(text, "%16llx-%16llx %4s %16llx %8x:%8x %20llu%n", &ret->begin, &ret->end, ret->mode, &ret->offset,
		   &ret->major, &ret->minor, &ret->inode, &at) != 7 ||
	    ret->end <= ret->begin)
		return false;
	ret->name = text + at + strspn(text + at, " ");
	return true;
}

/* Private memory that can be written: what a process has to itself, and no reading of which waits for a file. */
static bool is_own(const struct line *l)
{
	return strcmp(l->mode, "rw-p") == 0;
}

/* Right behind: anonymous memory, or the same file's. */
static bool goes_on(const struct mw_heap_region *g, const struct line *l)
{
	if (!is_own(l) || l->begin != g->end)
		return false;
	if (!l->inode && !l->major && !l->minor)
		return true;
	return l->inode == g->inode && l->major == g->major && l->minor == g->minor && l->offset == g->end - g->begin;
}

int mw_heap_region_line(struct mw_heap_region *g, const char *line, struct mw_error *err)
{
	static const char name[] = "/memfd:" MW_HEAP_MAPPING " (deleted)";
	struct line l;

	if (!read_line(line, &l))
		return g->begin ? 1 : 0;
	if (g->begin) {
		if (!goes_on(g, &l))
			return 1;
		g->end = l.end;
		return g->end - g->begin >= LONGEST;
	}
	if (l.offset || strcmp(l.name, name) != 0)
		return 0;
	if (!is_own(&l))
		return mw_fail(err, -EBADMSG, "a mapping named %s of mode %s, expected rw-p", MW_HEAP_MAPPING, l.mode);
	*g = (struct mw_heap_region){l.begin, l.end, l.inode, l.major, l.minor};
	return 0;
}

int mw_heap_region_check(const struct mw_heap_region *g, struct mw_error *err)
{
	dev_t memfds;
	int r = mw_in_memory_device(&memfds);

	if (r < 0)
		return mw_fail(err, r, "the device of memfds: %s", strerror(-r));
	if (g->inode && g->major == major(memfds) && g->minor == minor(memfds))
		return 0;
	return mw_fail(err, -EBADMSG, "a mapping named %s that is of device %02x:%02x, expected %02x:%02x, the memfds'",
		       MW_HEAP_MAPPING, g->major, g->minor, major(memfds), minor(memfds));
}

int mw_heap_region_holds(const struct mw_heap_region *g, const struct mw_heap_head *head, struct mw_error *err)
{
	__u64 behind = head->records_at + (__u64)head->n_records * sizeof(struct mw_heap_record);

	if (behind <= g->end - g->begin)
		return 0;
	return mw_fail(err, -EBADMSG,
		       "%u records that end %llu bytes behind its beginning, of which its memory is %llu",
		       head->n_records, behind, g->end - g->begin);
}

int mw_heap_region_find(int proc_fd, struct mw_heap_region *ret_region, struct mw_error *err)
{
	_cleanup_close_ int fd = openat(proc_fd, "maps", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;
	_cleanup_free_ char *line = NULL;
	struct mw_heap_region g = {0};
	size_t room = 0, bytes = 0;
	ssize_t n;
	int r = 0;

	if (!f)
		return mw_fail(err, -errno, "maps: %s", strerror(errno));
	fd = -1; /* f's now */
	for (errno = 0; !r && bytes < MAPS_BYTES_MAX && (n = getline(&line, &room, f)) > 0; bytes += (size_t)n) {
		line[strcspn(line, "\n")] = '\0';
		r = mw_heap_region_line(&g, line, err);
	}
	if (r < 0)
		return r;
	if (!g.begin)
		return errno ? mw_fail(err, -errno, "maps: %s", strerror(errno))
			     : mw_fail(err, -ENODATA, "no heap sampler in it");
	r = mw_heap_region_check(&g, err);
	if (r >= 0)
		*ret_region = g;
	return r;
}
