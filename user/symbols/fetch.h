/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Between the two parts of memweir-symbols: the one without rights says what it wants, the other hands it over. */
#ifndef MW_FETCH_H
#define MW_FETCH_H

#include "symbols/open.h"

/* A pair of sockets, [0] of who asks, [1] of who opens; -errno. */
int mw_fetch_pair(int ret_fds[2]);

/* A descriptor, or -errno as mw_open_wanted; -EPIPE when the other part has gone. */
int mw_fetch(int sock, const struct mw_want *w);

/* Open what is asked for until the other side closes. 0; -ETIMEDOUT; -EPROTO: more than any honest file needs. */
int mw_fetch_serve(int sock, const struct mw_opened *o, __u64 deadline_ns);

#endif
