/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What came of a request, and what a collector said to it: text of a stranger. Pure. */
#ifndef MW_OTLP_ANSWER_H
#define MW_OTLP_ANSWER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "otlp/wire.h"

#define MW_ANSWER_MAX (256U << 10) /* bytes of its body; a longer one is no answer */

/* How an attempt ended. */
struct mw_attempt {
	unsigned status; /* of HTTP; 0: there was no answer */
	bool broken; /* no connection, it broke, or no answer in time: to be tried again */
	bool too_long; /* the body */
	__s64 retry_after_ms; /* MW_RETRY_AFTER_NONE: not said */
	const char *body;
	size_t size;
	const char *why; /* without a status: what curl says */
};

enum mw_verdict_of {
	MW_TAKEN, /* what was not refused is with the collector */
	MW_AGAIN, /* try again, later */
	MW_REFUSED, /* never to be tried again */
};

/* *ret_refused: records of a partial success that the collector did not take, up to n. text: its words, a plain line,
 * "": none. */
enum mw_verdict_of mw_answer_judge(const struct mw_attempt *a, enum mw_otlp_signal s, __u64 n, __u64 *ret_refused,
				   char *text, size_t size);

#endif
