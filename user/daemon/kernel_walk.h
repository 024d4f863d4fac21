/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Every entry of a hash map, once. Key after key would begin anew whenever the key the walk stands on is deleted by
 * somebody else, and meet again what it has met; bucket after bucket does not: what comes or goes meanwhile may be
 * missed or met, nothing is met twice, and what stays is met. A few calls for thousands of entries.
 */
#ifndef MW_KERNEL_WALK_H
#define MW_KERNEL_WALK_H

#include <stddef.h>

/* key and value are copies, of the walk's until it returns; the map may be changed. Return < 0 ends it. */
typedef int (*mw_walk_fn)(const void *key, void *value, void *arg);
/* 0, what fn ended it with, -ENOMEM, or the kernel's -errno. Any thread; blocks only while entries are copied. */
int mw_map_walk(int map_fd, size_t key_bytes, size_t value_bytes, mw_walk_fn fn, void *arg);

#endif
