/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where in a process a sampler's region is, and how far it goes: from /proc/PID/maps, before anything is read. Any file
 * can be called what ours is, and reading memory behind which a file server or a device stands waits for those: only
 * what comes from memory alone is read, a memfd of the kernel's own and private anonymous memory right behind it.
 */
#ifndef MW_HEAP_REGION_H
#define MW_HEAP_REGION_H

#include <linux/types.h>
#include <sys/types.h>

#include "memweir/heap.h"
#include "util/error.h"

#define MW_HEAP_RECORDS_AT_MAX (1ULL << 20)

/* Zeroed: nothing was found yet. */
struct mw_heap_region {
	__u64 begin, end; /* of memory that may be read, without a gap */
	__u64 inode; /* of the mapping that is named, and its device */
	__u32 major, minor;
};

/*
 * The next line, without its newline. 0: go on; 1: it is known where the region ends; -EBADMSG: it names a region, and
 * not as a sampler maps it; err says how.
 */
int mw_heap_region_line(struct mw_heap_region *g, const char *line, struct mw_error *err);
/* Is it on the device of memfds, whatever it is called? -EBADMSG; -errno: the kernel makes us none to compare with. */
int mw_heap_region_check(const struct mw_heap_region *g, struct mw_error *err);
/* Are all records that a checked head speaks of in it? -EBADMSG. */
int mw_heap_region_holds(const struct mw_heap_region *g, const struct mw_heap_head *head, struct mw_error *err);
/* All of it, of the process whose folder in /proc this is. -ENODATA: no mapping has that name; -EBADMSG, -errno. */
int mw_heap_region_find(int proc_fd, struct mw_heap_region *ret_region, struct mw_error *err);

#endif
