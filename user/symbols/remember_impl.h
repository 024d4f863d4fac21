/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What /proc says of a process that is to be remembered; no file of its is opened. proc_fd: its folder. */
#ifndef MW_REMEMBER_IMPL_H
#define MW_REMEMBER_IMPL_H

#include "symbols/remember.h"

/* Hashed byte by byte. The time of change: an inode is used again, and a file may be written over. */
struct mw_part_key {
	__u64 inode, offset, changed_ns;
	__u32 dev_major, dev_minor;
};

/* Parts of files alone: of all else nothing can be found later. Without build ids. -ESRCH, -EBADMSG, -ENOMEM. */
int mw_modules_take(int proc_fd, struct mw_modules *ret);
/* false: it is not to be seen which file that is. */
bool mw_part_key(int proc_fd, const struct mw_module *m, struct mw_part_key *ret);

#endif
