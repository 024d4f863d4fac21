/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Who does nothing with its memory: hardly any CPU time and no growth for a while. Pure. */
#ifndef MW_IDLE_H
#define MW_IDLE_H

#include <linux/types.h>
#include <stdbool.h>

#define MW_IDLE_BYTES  (8ULL << 20) /* less than this is not worth a word */
#define MW_IDLE_CPU    0.005 /* of one CPU: more is work */
#define MW_IDLE_GROWTH (1ULL << 20) /* more, or a fiftieth of what there was, is growth */
#define MW_IDLE_LOOKS  10 /* CPU time is asked for this often within the time that makes it idle */

struct mw_idle {
	__u64 since_ns; /* it has been idle since, as far as is known; 0: nothing is */
	__u64 window_ns, cpu_us, bytes; /* what it is measured against: when, and what stood there */
	__u64 looked_ns; /* when CPU time was last asked for */
	bool told; /* in this idle time */
};

/* May it be idle, as far as its memory says? Starts over when it cannot. Asks for no CPU time. after_ns 0: never. */
bool mw_idle_candidate(struct mw_idle *idle, __u64 bytes, __u64 after_ns);
/* Is CPU time to be asked for now? */
bool mw_idle_due(const struct mw_idle *idle, __u64 after_ns, __u64 now_ns);
/*
 * What a look says, of a candidate: true when it has been idle for after_ns. CPU time is counted over windows of
 * after_ns, so that a heartbeat or a short wake-up is no work; work begins with the first window that has too much.
 */
bool mw_idle_look(struct mw_idle *idle, __u64 cpu_us, __u64 bytes, __u64 after_ns, __u64 now_ns);

#endif
