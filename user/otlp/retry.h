/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* When to try again, as the OTLP/HTTP specification says; pure: times and chance are given. */
#ifndef MW_OTLP_RETRY_H
#define MW_OTLP_RETRY_H

#include <linux/types.h>
#include <stdbool.h>

#include "util/clock.h"

#define MW_RETRY_FIRST_NS      MW_NS_PER_S
#define MW_RETRY_MOST_NS       (60 * MW_NS_PER_S)
#define MW_RETRY_AFTER_MOST_NS (3600 * MW_NS_PER_S) /* a collector that wants longer is asked again after this */
#define MW_RETRY_AFTER_NONE    (-1LL)

struct mw_retry {
	unsigned failures; /* in a row */
	__u64 not_before_ns; /* CLOCK_MONOTONIC */
};

/* 429, 502, 503, 504; nothing else. */
bool mw_retry_status(unsigned status);
/*
 * An attempt failed and is to be repeated. after_ms: Retry-After, or MW_RETRY_AFTER_NONE: then 1 s doubled with each
 * failure up to a minute, of which chance (any number) takes up to a half away. Retry-After is kept, a tenth may come
 * on top.
 */
void mw_retry_failed(struct mw_retry *r, __u64 now_ns, __s64 after_ms, __u32 chance);
void mw_retry_done(struct mw_retry *r);

/*
 * The value of a Retry-After header: seconds, or an HTTP date in one of its three forms; ms from wall_ns on, 0 for what
 * is past. MW_RETRY_AFTER_NONE where it is neither.
 */
__s64 mw_retry_after(const char *text, __u64 wall_ns);

#endif
