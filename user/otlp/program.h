/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The parts of the running program, for main.c and loop.c. */
#ifndef MW_OTLP_PROGRAM_H
#define MW_OTLP_PROGRAM_H

#include "otlp/exporter.h"
#include "otlp/news.h"
#include "otlp/scrape.h"
#include "otlp/sender.h"

#define MW_OTLP_FLUSH_NS (2 * MW_NS_PER_S) /* at the end what waits has so long */

struct mw_otlp_program {
	int sock;
	struct mw_settings settings;
	struct mw_out resource;
	struct mw_exporter exporters[MW_OTLP_SIGNALS];
	struct mw_sender *sender;
	struct mw_scrape scrape; /* of the daemon's figures */
	__u64 scrape_due_ns;
	struct mw_news news;
	__u64 records, bad_records;
	bool ending;
	__u64 end_ns; /* ending: no later than then */
};

/* Until the daemon is gone, or somebody wants the end; then a last flush. */
void mw_otlp_loop(struct mw_otlp_program *p);

#endif
