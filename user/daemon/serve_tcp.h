/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef MW_SERVE_TCP_H
#define MW_SERVE_TCP_H

#include <json-c/json.h>

#include "daemon/guard.h"

/* Listen where [http] says; what does not work at first is tried again. */
void mw_serve_tcp_start(struct mw_guard *g);
void mw_serve_tcp_tick(struct mw_guard *g, __u64 now_ns);
/* Listen on what fresh says and g does not yet. 0 with *ret_fd left alone: nothing to open. */
int mw_serve_tcp_open(struct mw_guard *g, const struct mw_config *fresh, int *ret_fd, struct mw_error *err);
void mw_serve_tcp_take(struct mw_guard *g, int fd); /* which is in force now; takes fd over, -1: none was opened */
struct json_object *mw_serve_tcp_json(const struct mw_guard *g); /* the server's counters, for /healthz */

#endif
