/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A log2 histogram of nanoseconds as bars. */
#ifndef MW_HISTOGRAM_H
#define MW_HISTOGRAM_H

#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>

#define MW_HIST_ROWS 16 /* shown at most; more slots than that share rows */

struct mw_hist_row {
	__u64 from_ns, to_ns; /* [from, to) */
	__u64 count;
};

/* The filled range of slots (slot i counts [2^i, 2^(i+1)) ns), merged evenly into at most MW_HIST_ROWS rows. Returns
 * how many; 0 for an empty one. */
size_t mw_hist_rows(const __u64 *slots, size_t n, struct mw_hist_row rows[MW_HIST_ROWS]);

/* One line a row, not wider than width columns (0: 80). */
void mw_hist_print(const __u64 *slots, size_t n, size_t width, FILE *out);

#endif
