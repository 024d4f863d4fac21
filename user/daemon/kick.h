/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Against a client that holds up the loop. Who may connect may send descriptors along, which libmicrohttpd drops; the
 * last close of a lingering TCP socket then waits in our thread, as long as its owner said. That sleep ends with a
 * signal, so one comes while clients are read from and it takes too long. Kernels with SO_PASSRIGHTS let no descriptor
 * through to begin with.
 */
#ifndef MW_KICK_H
#define MW_KICK_H

/* For the calling thread, which alone may use it. 0 or -errno; without it on and off do nothing. */
int mw_kick_init(void);
void mw_kick_on(void); /* from now on, until off, no sleep that a signal ends lasts longer than 2 ms */
void mw_kick_off(void);

#endif
