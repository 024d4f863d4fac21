/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/news.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "util/clock.h"

#define SENTENCES_NS (5 * MW_NS_PER_S)
#define REPORTS_NS   MW_NS_PER_S

static __u64 lost(const struct mw_otlp_report *r)
{
	__u64 n = 0;

	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++)
		n += r->counts[i].dropped + r->counts[i].refused;
	return n;
}

static __u64 waiting(const struct mw_otlp_report *r)
{
	__u64 n = 0;

	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++)
		n += r->counts[i].waiting;
	return n;
}

static void write_sentence(const struct mw_exporter *e, bool again, struct mw_otlp_report *r)
{
	char url[MW_URL_MAX];

	mw_url_plain(e->to->url, url, sizeof(url));
	if (r->failing) {
		r->priority = LOG_WARNING;
		snprintf(r->text, sizeof(r->text), "collector %.160s %.120s: %llu records wait, %llu lost", url, e->why,
			 waiting(r), lost(r));
	} else {
		r->priority = LOG_NOTICE;
		snprintf(r->text, sizeof(r->text), "collector %.160s takes records%s: %llu wait, %llu were lost", url,
			 again ? " again" : "", waiting(r), lost(r));
	}
}

bool mw_news_due(struct mw_news *n, const struct mw_exporter *all, __u64 now_ns, struct mw_otlp_report *ret_report)
{
	const struct mw_exporter *speaker = NULL;
	bool sentence, taken = false;

	*ret_report = (struct mw_otlp_report){.kind = MW_OTLP_SAYS};
	for (size_t i = 0; i < MW_OTLP_SIGNALS; i++) {
		ret_report->counts[i] = mw_exporter_counts(&all[i]);
		taken |= all[i].counts.sent > 0;
		if (all[i].failing && !ret_report->failing) {
			ret_report->failing = 1;
			speaker = &all[i];
		}
		if (!speaker && all[i].counts.sent)
			speaker = &all[i];
	}
	sentence = speaker && (ret_report->failing ? !n->failing || (lost(ret_report) && !n->dropped)
						   : taken && (n->failing || !n->any));
	sentence &= !n->any || now_ns - n->told_ns >= SENTENCES_NS;
	if (sentence) {
		write_sentence(speaker, n->failing, ret_report);
		n->failing = ret_report->failing;
		n->dropped = ret_report->failing ? lost(ret_report) : 0;
		n->any = true;
		n->told_ns = now_ns;
	} else if (now_ns - n->reported_ns < REPORTS_NS ||
		   memcmp(n->counts, ret_report->counts, sizeof(n->counts)) == 0) {
		return false;
	}
	n->reported_ns = now_ns;
	memcpy(n->counts, ret_report->counts, sizeof(n->counts));
	return true;
}
