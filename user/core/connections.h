/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* How many connections processes have, from /proc. Shared with libmemweir. */
#ifndef MW_CONNECTIONS_H
#define MW_CONNECTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Each socket once, however many of the processes have it. */
struct mw_connections {
	__u64 accepted; /* TCP at a port, unix stream at a path, that somebody listens at in their network */
	__u64 other; /* made by them, socket pairs, and where nobody listens any more */
};

/*
 * Of processes of one network namespace (that of the first that is there). Who has gone is left out. 0; -ESRCH: none is
 * there; -EACCES: of none the descriptors may be seen; -ENOMEM.
 */
int mw_connections_count(const char *proc_root, const pid_t *pids, size_t n, struct mw_connections *ret_connections);

#endif
