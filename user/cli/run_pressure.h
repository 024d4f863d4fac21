/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where the worker hears of its memory: the variables of systemd's protocol, https://systemd.io/MEMORY_PRESSURE. */
#ifndef MW_RUN_PRESSURE_H
#define MW_RUN_PRESSURE_H

/* Into the environment the worker will have, over a service manager's. path "": the daemon offers none, all stays. */
void mw_run_pressure_env(const char *path);
/*
 * Keep the FIFO's writing end open for as long as we stand beside the worker: its reader would see a hang-up when the
 * daemon, the only other writer, ends. A descriptor or -errno.
 */
int mw_run_pressure_hold(const char *path);

#endif
