/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/retry.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"

bool mw_retry_status(unsigned status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* Of ns, chance/2^32. */
static __u64 share(__u64 ns, __u32 chance)
{
	return (__u64)(((unsigned __int128)ns * chance) >> 32);
}

void mw_retry_failed(struct mw_retry *r, __u64 now_ns, __s64 after_ms, __u32 chance)
{
	__u64 wait_ns = MW_RETRY_FIRST_NS;

	for (unsigned i = 0; i < r->failures && wait_ns < MW_RETRY_MOST_NS; i++)
		wait_ns *= 2;
	if (wait_ns > MW_RETRY_MOST_NS)
		wait_ns = MW_RETRY_MOST_NS;
	r->failures++;
	if (after_ms >= 0) {
		wait_ns = MW_RETRY_AFTER_MOST_NS;
		if (after_ms < (__s64)(MW_RETRY_AFTER_MOST_NS / MW_NS_PER_MS))
			wait_ns = (__u64)after_ms * MW_NS_PER_MS;
		wait_ns += share(wait_ns / 10, chance);
	} else {
		wait_ns -= share(wait_ns / 2, chance);
	}
	r->not_before_ns = now_ns + wait_ns;
}

void mw_retry_done(struct mw_retry *r)
{
	*r = (struct mw_retry){0};
}

static __s64 seconds(const char *text)
{
	__s64 s = 0;

	for (; isdigit((unsigned char)*text); text++)
		if (s < 1000000000)
			s = s * 10 + (*text - '0');
	return s * 1000;
}

__s64 mw_retry_after(const char *text, __u64 wall_ns)
{
	/* IMF-fixdate, RFC 850, asctime; the locale is C's. */
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
					    "%a %b %e %H:%M:%S %Y"};
	size_t n = strspn(text, " \t");

	text += n;
	n = strspn(text, "0123456789");
	if (n)
		return text[n + strspn(text + n, " \t\r\n")] ? MW_RETRY_AFTER_NONE : seconds(text);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		__s64 at_ms;

		if (!end || end[strspn(end, " \t\r\n")])
			continue;
		at_ms = (__s64)timegm(&tm) * 1000 - (__s64)(wall_ns / MW_NS_PER_MS);
		return at_ms > 0 ? at_ms : 0;
	}
	return MW_RETRY_AFTER_NONE;
}
