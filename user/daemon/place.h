/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#ifndef MW_PLACE_H
#define MW_PLACE_H

#include <sys/types.h>

#include "core/action.h"
#include "core/config.h"

struct mw_guard;

/* Cgroups of ours, through libcgroup, or plain directories where the v2 memory controller is missing. */
int mw_place_root(struct mw_guard *g, struct mw_error *err);
int mw_place_make(struct mw_guard *g, const struct mw_class *cls, const char *path, const struct mw_limits *limits,
		  int *ret_fd, struct mw_error *err);
int mw_place_remove(struct mw_guard *g, const char *path, struct mw_error *err);
int mw_place_move(struct mw_guard *g, const char *path, int dir_fd, pid_t pid, struct mw_error *err);
/*
 * memory.low of the classes and of ROOT: the sum of what their workers want, so that protection is not
 * inert. protect says that it is due; the next beat does it, ROOT's own from an action thread.
 */
void mw_place_protect(struct mw_guard *g);
void mw_place_tick(struct mw_guard *g);
bool mw_place_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was ours */
/* Class directories brought up to date after a change of the configuration. */
int mw_place_classes(struct mw_guard *g, struct mw_error *err);

#endif
