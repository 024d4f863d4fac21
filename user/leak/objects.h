/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Samples of objects that were watched from outside (memweir/objects.h): what each stands for. Pure. */
#ifndef MW_LEAK_OBJECTS_H
#define MW_LEAK_OBJECTS_H

#include <linux/types.h>
#include <stdbool.h>

#include "memweir/heap.h"
#include "memweir/objects.h"

/* Its weight, from the mean it was sampled with; one that was given stays. */
void mw_object_weigh(struct mw_heap_record *r);
/*
 * Would it have been a sample with that mean, too, larger than its own? By chance, so that those that stay stand for
 * all: their mean is that one then. One with a weight of its own always stays.
 */
bool mw_object_stays(struct mw_heap_record *r, __u64 mean_bytes, __u64 *random);
/*
 * Frames behind the first that are no code: where a program has no frame pointers the kernel walks through whatever
 * stands in that register. is_code says of an address; those from the first that is none are dropped.
 */
void mw_object_cut(struct mw_heap_record *r, bool (*is_code)(__u64 address, const void *arg), const void *arg);

/*
 * The arguments of a static probe, "8@%rdi -4@-20(%rbp) 8@$64", on this machine: as many as n, others are left out.
 * -EINVAL.
 */
int mw_otel_arguments_parse(const char *text, unsigned n, struct mw_otel_arguments *ret_arguments);

#endif
