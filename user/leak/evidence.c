/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/evidence.h"

#include <stdio.h>

#include "util/amount.h"
#include "util/size.h"

#define STALE	 0.8
#define IN_USE	 0.3
#define STALE_NS MW_TOUCHED_AFTER_NS /* who looks into its cache twice a minute is not called stale */
#define LEAST	 (1ULL << 20) /* of growth: below it shares mean nothing */
#define MOSTLY_SHMEM                                                                                                   \
	0.1 /* read(2) and write(2) of a tmpfs touch no page table: that looks untouched and need not be               \
	     */
#define HALF	0.5
#define SAMPLES 30
#define PAGES	20

bool mw_evidence_untouched(const struct mw_evidence *e, double *ret_least, double *ret_most)
{
	__u64 grown = mw_less(e->of_bytes, e->heap_before);

	if (!e->grows || !e->touched_known || grown < LEAST || (double)e->shmem > MOSTLY_SHMEM * (double)e->of_bytes)
		return false;
	*ret_least = (double)mw_less(e->untouched_bytes, e->heap_before) / (double)grown;
	*ret_most = e->untouched_bytes < grown ? (double)e->untouched_bytes / (double)grown : 1;
	return true;
}

static bool one_place(const struct mw_evidence *e)
{
	return e->grows && e->site_share >= HALF && e->site_samples >= SAMPLES;
}

/* Enough of its pages were looked at. */
static bool place_untouched(const struct mw_evidence *e)
{
	return one_place(e) && e->site.touched_known && e->site.pages >= PAGES;
}

/* Of what was swapped out, how much stayed there. */
static bool stays_out(const struct mw_evidence *e, double *ret_share)
{
	__u64 all = e->went_out + e->came_back;

	if (!e->grows || !e->swap_known || all < LEAST)
		return false;
	*ret_share = (double)e->went_out / (double)all;
	return true;
}

/* The best word there is on how much of the growth is not touched, and over which time. */
static bool untouched(const struct mw_evidence *e, double *least, double *most, __u64 *span_ns)
{
	*span_ns = e->span_ns;
	if (mw_evidence_untouched(e, least, most))
		return true;
	if (place_untouched(e)) {
		*least = *most = (double)e->site.untouched / e->site.pages;
		*span_ns = e->site.span_ns;
		return true;
	}
	*span_ns = STALE_NS; /* the kernel swaps out what was not touched for long */
	if (!stays_out(e, least) || (double)(e->went_out + e->came_back) < HALF * (double)e->grown.total)
		return false;
	*most = *least;
	return true;
}

void mw_evidence_weigh(const struct mw_evidence *e, struct mw_trend *t)
{
	double least, most;
	__u64 span_ns;

	if (!e->grows || t->verdict == MW_STEADY)
		return;
	if (one_place(e))
		t->confidence += (1 - t->confidence) / 2;
	if (!untouched(e, &least, &most, &span_ns))
		return;
	if (least >= STALE && span_ns >= STALE_NS)
		t->confidence += (1 - t->confidence) / 2;
	else if (most <= IN_USE)
		t->confidence /= 2;
}

/* "of 120.4 MB of memory that it held 83 % was not touched for 1 min (12.0 MB of it swapped out)". */
static void say_touched(const struct mw_evidence *e, bool *ret_against, char *buf, size_t size)
{
	char held[24], span[24], swapped[24], tail[48] = "";
	double least, most, share;

	if (!mw_evidence_untouched(e, &least, &most))
		return;
	share = 100 * (double)e->untouched_bytes / (double)e->of_bytes;
	mw_size_format(e->of_bytes, held, sizeof(held));
	mw_duration_format(e->span_ns, span, sizeof(span));
	*ret_against = most <= IN_USE;
	if (*ret_against) {
		snprintf(buf, size, "what it holds is in use: of %s of memory %.0f %% was touched within %s", held,
			 100 - share, span);
		return;
	}
	if (e->swapped_bytes >= LEAST)
		snprintf(tail, sizeof(tail), " (%s of it swapped out)",
			 mw_size_format(e->swapped_bytes, swapped, sizeof(swapped)));
	snprintf(buf, size, "of %s of memory that it held %.0f %% was not touched for %s%s", held, share, span, tail);
}

/* Of the one place: what is held on to, and what is touched; as far as either is known. */
static void say_objects(const struct mw_evidence *e, bool *ret_against, char *buf, size_t size)
{
	const struct mw_life *l = &e->site;
	char span[24], age[24];
	int n = 0;

	if (!one_place(e) || !l->site)
		return;
	if (l->had_bytes >= LEAST)
		n = snprintf(buf, size, "of what that place held when it was first looked at %.0f %% is held still",
			     100 * (double)l->kept_bytes / (double)l->had_bytes);
	else
		n = snprintf(buf, size, "what that place holds is %s old on average",
			     mw_duration_format(l->mean_age_ns, age, sizeof(age)));
	if (!place_untouched(e) || n < 0 || (size_t)n >= size)
		return;
	*ret_against = (double)l->untouched <= IN_USE * l->pages;
	snprintf(buf + n, size - (size_t)n, "; of %u of its pages %u were not touched for %s", l->pages, l->untouched,
		 mw_duration_format(l->span_ns, span, sizeof(span)));
}

/* "of 31.0 MB that was swapped out since the first look 96 % has not come back". */
static void say_swap(const struct mw_evidence *e, bool *ret_against, char *buf, size_t size)
{
	char all[24];
	double share;

	if (!stays_out(e, &share))
		return;
	*ret_against = share <= IN_USE;
	mw_size_format(e->went_out + e->came_back, all, sizeof(all));
	snprintf(buf, size, "of %s that was swapped out since the first look %.0f %% %s", all,
		 100 * (*ret_against ? 1 - share : share), *ret_against ? "came back" : "has not come back");
}

const char *mw_evidence_say(const struct mw_evidence *e, enum mw_evidence_fact fact, bool *ret_against, char *buf,
			    size_t size)
{
	*ret_against = false;
	buf[0] = '\0';
	if (!e->grows)
		return buf;
	if (fact == MW_EVIDENCE_KINDS)
		mw_kinds_say(&e->grown, buf, size);
	else if (fact == MW_EVIDENCE_TOUCHED)
		say_touched(e, ret_against, buf, size);
	else if (fact == MW_EVIDENCE_SWAP)
		say_swap(e, ret_against, buf, size);
	else if (fact == MW_EVIDENCE_PLACE && one_place(e))
		snprintf(buf, size, "one place in the code holds %.0f %% of what its heap grew by, on %u samples",
			 100 * e->site_share, e->site_samples);
	else if (fact == MW_EVIDENCE_OBJECTS)
		say_objects(e, ret_against, buf, size);
	return buf;
}
