/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a process has mapped to be executed. Taken while it lives (mw_modules_ask), it says afterwards what an address
 * of its was.
 */
#ifndef MW_MODULES_H
#define MW_MODULES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define MW_MODULES_MAX 4096 /* kept of one process; more are counted */
#define MW_MODULE_PATH 1024 /* with its NUL */
#define MW_BUILD_ID    65 /* in hexadecimal digits, with its NUL */

struct mw_module {
	__u64 start, end; /* addresses in the process: [start, end) */
	__u64 offset; /* of start in the file, bytes */
	__u64 address; /* of start as the file's own headers number it; where has_address */
	bool has_address;
	bool deleted; /* no file of that name was this one any more */
	__u32 dev_major, dev_minor;
	__u64 inode; /* 0: no file */
	char build_id[MW_BUILD_ID]; /* "": none, or not looked up */
	char *path; /* owned; "[vdso]" and the like where there is no file, "" where the kernel has no name for it */
};

struct mw_modules {
	struct mw_module *at; /* by address, none over another */
	size_t n, left_out;
	pid_t pid;
	__u64 start_ticks; /* since boot: with the pid it names the process */
	uid_t uid; /* as which it opens files */
	gid_t gid;
};

void mw_modules_free(struct mw_modules *m); /* contents; idempotent */
/* The one an address is in, or NULL. */
const struct mw_module *mw_modules_find(const struct mw_modules *m, __u64 address);

/*
 * A copy of m goes to the end; path is copied too and cut. -EINVAL when it is not behind the last one, or is none;
 * -ENOMEM. Past MW_MODULES_MAX it is counted.
 */
int mw_modules_add(struct mw_modules *list, const struct mw_module *m, const char *path, size_t path_n);

/* Of /proc/PID/maps: what may be executed is added; neighbours without a file become one. -EBADMSG, err says where. */
int mw_modules_read_maps(struct mw_modules *list, const char *text, size_t n, struct mw_error *err);

/* The last number of a line of /proc/PID/status, such as "NSpid:". false: no such line, or no number. */
bool mw_status_last(const char *text, const char *key, __u64 *ret);

/* 2 to 64 hexadecimal digits in pairs, in lower case. */
bool mw_build_id_valid(const char *id);

#endif
