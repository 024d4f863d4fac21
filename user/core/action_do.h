/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Between the pool (action.c) and what an action does (action_do.c). */
#ifndef MW_ACTION_DO_H
#define MW_ACTION_DO_H

#include "core/action.h"

struct mw_action_env {
	const char *proc_root;
};

/* Do it, here and now. res: identity filled in, the rest 0. */
void mw_action_do(const struct mw_action_env *env, const struct mw_action *a, struct mw_action_result *res);

#endif
