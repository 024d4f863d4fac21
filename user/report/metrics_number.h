/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Numbers and labels of metrics as text: a hundred thousand of them in one answer. */
#ifndef MW_METRICS_NUMBER_H
#define MW_METRICS_NUMBER_H

#include <linux/types.h>

#define MW_NUMBER_SIZE 40

/* Each returns buf, which has MW_NUMBER_SIZE bytes. */
const char *mw_number_u64(__u64 value, char *buf);
const char *mw_number_seconds(__u64 ns, char *buf); /* exact: "0.001048576", "12.0" */
const char *mw_number_double(double value, char *buf); /* "NaN", "+Inf" and "-Inf" too */

#endif
