/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What has Python and Node programs say which of their lines hold most (user/runtime): two variables lead them to it.
 */
#ifndef MW_RUN_RUNTIME_H
#define MW_RUN_RUNTIME_H

#include <stdbool.h>

/*
 * Into the environment the worker will have: PYTHONPATH begins with our folder, NODE_OPTIONS ends with our module; what
 * is in them stays. Where these are not installed, or their path cannot stand in such a variable, nothing is set.
 */
void mw_run_runtime_env(bool on);

#endif
