/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Files of other processes that are to be read: only what lies in memory. Behind any other may stand a file server that
 * never answers, and who reads waits for it in the kernel, for good.
 */
#ifndef MW_IN_MEMORY_H
#define MW_IN_MEMORY_H

#include <stdbool.h>
#include <sys/types.h>

/* The device that memfds are on. 0; -errno: the kernel makes us none to look at. */
int mw_in_memory_device(dev_t *ret_device);
/*
 * Is fd (O_PATH does) a regular file, a memfd or on a tmpfs that the process mounts whose folder in /proc proc_fd is?
 * Its file system is not asked.
 */
bool mw_in_memory(int fd, int proc_fd);

#endif
