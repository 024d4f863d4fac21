/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where a worker hears of its memory: a FIFO of its own in RUN_DIR/pressure, named in its $MEMORY_PRESSURE_WATCH as
 * systemd's protocol has it. A byte in it says: free what you can.
 *
 * A FIFO and not a socket, because sd-event (254 to 257) reads the end of a connection as pressure, over and over: each
 * restart of the daemon would set such workers spinning. A FIFO has no connections, but a hang-up when its last writer
 * goes, upon which sd-event listens no more. So both the daemon and `memweir run` hold a writing end all the time:
 * either may go and come. It costs that of several readers in one worker only one gets each byte.
 *
 * Anybody may open it who knows its name, whatever user the worker turns into; the name holds 128 random bits, its
 * directory cannot be listed, and the environment it stands in is the worker's own. Who knows it can take a notice
 * away or make up one, no more: nothing that is written there is looked at here. The FIFO of a member's worker belongs
 * to that user, and no other may open it.
 */
#ifndef MW_PRESSURE_H
#define MW_PRESSURE_H

#include "core/worker.h"

#define MW_PRESSURE_DIR "pressure"

/* dir_fd is RUN_DIR's. All of them never block. 0 or -errno. */
int mw_pressure_dir(int run_fd);
int mw_pressure_make(int run_fd, struct mw_worker *w);
/* Take a writing end of a FIFO that is there (an earlier daemon's), to be kept. Nothing to do: 0. */
int mw_pressure_hold(int run_fd, struct mw_worker *w);
void mw_pressure_remove(int run_fd, struct mw_worker *w);
/* Those of workers that are not in the table: what a dead daemon could not remove. */
void mw_pressure_sweep(int run_fd, const struct mw_workers *ws);

enum mw_told {
	MW_TOLD_NOBODY, /* nobody has it open */
	MW_TOLD, /* a byte is on its way */
	MW_TOLD_UNREAD, /* the last one was not taken yet: it will do */
};
enum mw_told mw_pressure_tell(int run_fd, struct mw_worker *w);
/* Has somebody taken the last byte? */
bool mw_pressure_taken(const struct mw_worker *w);

#endif
