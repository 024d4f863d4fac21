/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Sizes and times as people write and read them. */
#ifndef MW_SIZE_H
#define MW_SIZE_H

#include <linux/types.h>
#include <stddef.h>

/*
 * "1048576", "1M", "1MiB" (binary: K M G T, KiB MiB ...), "50MB" (decimal: KB MB GB TB),
 * upper or lower case, a decimal fraction is fine ("1.5G", not of a byte), white space around
 * and before the unit too. "max" is MW_UNLIMITED. -EINVAL on anything else, -ERANGE past 2^63.
 */
int mw_size_parse(const char *text, __u64 *ret_bytes);
/* "43.8 MB" (decimal, one fraction digit from KB on), "512 B", "max" for MW_UNLIMITED. Returns buf. */
const char *mw_size_format(__u64 bytes, char *buf, size_t size);
/* "1.2 MB/s", "3.1 MB/min", "20.0 MB/h": of s, min and h the shortest with 100 KB or more; "-" before what falls.
 * Returns buf. */
const char *mw_rate_format(double bytes_per_s, char *buf, size_t size);
/* The same amount as mw_size_parse reads it back, to the byte: "50MB", "64MiB", "1048577", "max". Returns buf. */
const char *mw_size_exact(__u64 bytes, char *buf, size_t size);

/*
 * "250ms", "5s", "5", "1.5 min", "2h", "10us", "2 min 10 s"; units ns us ms s sec m min h d; a plain
 * number is seconds. -EINVAL, -ERANGE past 2^63 ns (292 years).
 */
int mw_duration_parse(const char *text, __u64 *ret_ns);
/* "312 ms", "5.3 s", "2 min 10 s", "3 h 5 min", "1.2 ms", "85 us". Returns buf. */
const char *mw_duration_format(__u64 ns, char *buf, size_t size);
/* The same time as mw_duration_parse reads it back, to the nanosecond: "5s", "1500ms". Returns buf. */
const char *mw_duration_exact(__u64 ns, char *buf, size_t size);

/* "0.85" or "85%" as 0.85: no sign, no exponent, independent of the locale. -EINVAL, -ERANGE over 10^6. */
int mw_ratio_parse(const char *text, double *ret_ratio);

#endif
