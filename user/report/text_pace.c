/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/text_pace.h"

#include <stdio.h>

#include "util/clock.h"
#include "util/size.h"

const char *mw_text_pace_begin(const struct mw_worker *w, const struct mw_pace_input *in, char *buf, size_t size)
{
	char rate[24], used[24], high[24];

	snprintf(buf, size, "worker %s (%s) reclaimed ahead of: takes %s/s, uses %s of %s up to memory.high", w->name,
		 w->class_name, mw_size_format((__u64)w->pace.state.rate, rate, sizeof(rate)),
		 mw_size_format(in->current, used, sizeof(used)), mw_size_format(in->high, high, sizeof(high)));
	return buf;
}

const char *mw_text_pace_held(const struct mw_worker *w, const struct mw_pace_decision *d, char *buf, size_t size)
{
	char hold[24];

	mw_duration_format(d->hold_ns, hold, sizeof(hold));
	snprintf(buf, size, "worker %s (%s) not reclaimed ahead of for %s: %s", w->name, w->class_name, hold,
		 mw_pace_why_text(d->why));
	return buf;
}

const char *mw_text_pace_over(const struct mw_worker *w, char *buf, size_t size)
{
	char freed[24], took[24];

	mw_duration_format(w->pace.took_ns, took, sizeof(took));
	snprintf(buf, size,
		 "worker %s (%s) no longer reclaimed ahead of: %llu %s freed %s so far, %s of the guard's time",
		 w->name, w->class_name, w->pace.reclaims, w->pace.reclaims == 1 ? "batch" : "batches",
		 mw_size_format(w->pace.bytes, freed, sizeof(freed)), took);
	return buf;
}
