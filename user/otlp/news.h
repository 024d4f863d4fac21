/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the daemon is told of how it goes: counters at most once a second, a sentence for each change of state. Pure. */
#ifndef MW_OTLP_NEWS_H
#define MW_OTLP_NEWS_H

#include "otlp/exporter.h"

struct mw_news {
	bool failing; /* as it was told last */
	bool any; /* something was told */
	__u64 told_ns, reported_ns; /* the last sentence, the last report */
	__u64 dropped; /* records, as of the last sentence */
	struct mw_otlp_counts counts[MW_OTLP_SIGNALS]; /* as of the last report */
};

/*
 * Is there something to report at now? Then *ret_report is it. A sentence comes when sending begins to fail, when it
 * works again, and when records are dropped for the first time since; 5 s apart, since a collector may come and go.
 */
bool mw_news_due(struct mw_news *n, const struct mw_exporter *all, __u64 now_ns, struct mw_otlp_report *ret_report);

#endif
