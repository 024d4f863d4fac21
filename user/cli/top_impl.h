/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the files of top's model share. */
#ifndef MW_TOP_IMPL_H
#define MW_TOP_IMPL_H

#include "cli/top_model.h"

/* The worker of that cgroup, made when it is new; NULL on no memory, or beyond MW_TOP_WORKERS. */
struct mw_top_worker *mw_top_worker(struct mw_top *m, __u64 id);
/* Its figures become its newest point. */
void mw_top_note(struct mw_top *m, struct mw_top_worker *w);
/* The second that t_ms is in becomes the newest one of all workers. */
void mw_top_move_to(struct mw_top *m, __u64 t_ms);
/* Drops whom the daemon has not spoken of since. */
void mw_top_forget(struct mw_top *m, __u64 before_ms);

#endif
