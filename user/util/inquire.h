/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Start a program of ours for one question, hear it out, end it: what parses the files of others is never the caller.
 */
#ifndef MW_INQUIRE_H
#define MW_INQUIRE_H

#include <linux/types.h>
#include <stddef.h>

#include "util/error.h"

struct mw_inquiry {
	const char *program; /* its name, for sentences and to look for it among our own (util/libexec.h) */
	const char *path; /* where it is; NULL: where it was installed */
	const char *const *argv;
	int stdin_fd; /* what it reads; -1: nothing */
	__u32 timeout_ms;
	size_t answer_max; /* bytes */
};
/*
 * Blocks. The program gets standard streams and nothing else of ours: no descriptor, no environment, no blocked signal.
 * It is killed when its time is over; no zombie stays and no descriptor. One that not even SIGKILL ends within a second
 * (it waits for a dead file server) is left, and waited for by a later call; while there are eight of those nothing is
 * started. *ret_text is the caller's to free and ends with a NUL behind its *ret_n bytes.
 *
 * -ENOEXEC there is no such program; -ETIMEDOUT; -EPROTO it died, failed or said too much; -EBUSY as above; -ENOMEM;
 * err says which.
 */
int mw_inquire(const struct mw_inquiry *q, char **ret_text, size_t *ret_n, struct mw_error *err);

#endif
