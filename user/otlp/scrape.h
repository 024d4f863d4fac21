/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The daemon's answer to GET /metrics, read as it comes and never kept whole. */
#ifndef MW_OTLP_SCRAPE_H
#define MW_OTLP_SCRAPE_H

#include "otlp/metrics.h"
#include "util/http_reply.h"

#define MW_SCRAPE_LINE_MAX (16U << 10) /* a longer line is left out */

struct mw_scrape {
	int fd; /* of the connection; -1: none is read */
	struct mw_reply_parser reply;
	struct mw_text line;
	bool too_long; /* the rest of this line is left out */
	bool begun;
	__u64 wall_ns, now_ns;
	struct mw_exporter *to;
	struct mw_metrics metrics;
	__u64 scrapes, failures;
};

int mw_scrape_init(struct mw_scrape *s);
void mw_scrape_free(struct mw_scrape *s);
/* fd is taken over: a connection on which the question has been sent. One that is still under way is given up. */
void mw_scrape_begin(struct mw_scrape *s, int fd, __u64 wall_ns);
void mw_scrape_read(struct mw_scrape *s, struct mw_exporter *to, __u64 now_ns); /* what is there; never waits */

#endif
