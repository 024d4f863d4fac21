/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What speaks for or against a leak besides the course of a worker's memory: whether what it holds is touched any more,
 * whether one place in the code holds it, and what kind of memory it is. Pure.
 */
#ifndef MW_EVIDENCE_H
#define MW_EVIDENCE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "leak/kinds.h"
#include "leak/pages.h"
#include "leak/touched.h"
#include "leak/trend.h"

#define MW_EVIDENCE_TEXT 240

struct mw_evidence {
	bool grows; /* false: there is nothing to say anything about */
	struct mw_kinds_grown grown; /* since the onset */
	__u64 heap_before, shmem; /* bytes; heap at the onset, shmem now */
	/* memory that is there still: mw_touched */
	bool touched_known;
	__u64 span_ns, of_bytes, untouched_bytes, swapped_bytes;
	/* the code that holds most of what its heap grew by: mw_sites */
	double site_share; /* 0..1; 0: not known */
	__u32 site_samples;
	/* since the first look: what is in swap more than then, and what came back from there in between */
	bool swap_known;
	__u64 went_out, came_back;
	struct mw_life site; /* of the objects there: mw_pages */
};

/*
 * Of what the heap had grown by when it was begun to be looked at, how much was not touched since: 0..1, at the least
 * and at the most, for what was there before the growth may be either. false: that cannot be told.
 */
bool mw_evidence_untouched(const struct mw_evidence *e, double *ret_least, double *ret_most);
/*
 * The confidence with it. Surer by half of the doubt: 0.8 of the growth untouched for half a minute; one place with
 * half of the growth on 30 samples. Half as sure: 0.3 of it untouched at the most. Where the worker's memory as a whole
 * cannot be told, the pages of that one place stand for it, at 20 of them; and else what was
 * swapped out, where that is half of the growth and stays out or comes back by the same shares. The verdict stays: a
 * short time proves nothing.
 */
void mw_evidence_weigh(const struct mw_evidence *e, struct mw_trend *t);

enum mw_evidence_fact {
	MW_EVIDENCE_KINDS,
	MW_EVIDENCE_TOUCHED,
	MW_EVIDENCE_SWAP,
	MW_EVIDENCE_PLACE,
	MW_EVIDENCE_OBJECTS,
	MW_EVIDENCE_MAX
};
/* A sentence; "": nothing to be said of that. *ret_against: it speaks against a leak. */
const char *mw_evidence_say(const struct mw_evidence *e, enum mw_evidence_fact fact, bool *ret_against, char *buf,
			    size_t size);

#endif
