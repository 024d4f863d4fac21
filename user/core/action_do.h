/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Between the pool (action.c) and what an action does (action_do.c, action_kill.c). */
#ifndef MW_ACTION_DO_H
#define MW_ACTION_DO_H

#include "core/action.h"

struct mw_action_env {
	const char *proc_root;
};

/* Do it, here and now. res: identity filled in, the rest 0. */
void mw_action_do(const struct mw_action_env *env, const struct mw_action *a, struct mw_action_result *res);

int mw_action_kill(const struct mw_action *a, struct mw_action_result *res);

void mw_action_say(struct mw_action_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A kernel's error as a status, with its sentence. */
int mw_action_failed(struct mw_action_result *res, int r, const char *what);
__u64 mw_action_current(int dir_fd); /* memory.current; 0 when it cannot be read */

#endif
