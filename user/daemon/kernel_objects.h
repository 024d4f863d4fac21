/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Probes on a process's allocator (bpf/objects.bpf.c), through libbpf. They are nobody's but this handle's: when it, or
 * the process that has it, is gone, so are they. May be used from any thread; opening, attaching and detaching block
 * (the kernel waits until nobody is inside a probe), reading does for as long as it takes to copy what is kept.
 */
#ifndef MW_KERNEL_OBJECTS_H
#define MW_KERNEL_OBJECTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "memweir/heap.h"
#include "memweir/objects.h"
#include "symbols/allocators.h"
#include "util/error.h"

struct mw_object_probes;

#define MW_OBJECTS_KEPT 8192 /* samples that are alive at once */

/* mean_bytes: between two samples, 1..MW_HEAP_MEAN_MAX. -EOPNOTSUPP, err says what the kernel lacks; -ENOMEM. */
int mw_object_probes_open(__u64 mean_bytes, struct mw_object_probes **ret_probes, struct mw_error *err);
void mw_object_probes_close(struct mw_object_probes *p); /* NULL-safe; what is attached goes first */

/*
 * Probe one place of a process: the call, and the return of what returns an object. path: the file, as
 * /proc/PID/map_files/... -errno, err says the kernel's words; -EINVAL: arguments of a static probe that are not
 * understood.
 */
int mw_object_probes_attach(struct mw_object_probes *p, pid_t pid, const char *path,
			    const struct mw_allocator_place *place, struct mw_error *err);
void mw_object_probes_detach(struct mw_object_probes *p); /* all */
unsigned mw_object_probes_attached(struct mw_object_probes *p); /* number of probes */

/* As they are now: memory that is shared with the kernel is read, nothing is called. */
void mw_object_probes_counts(const struct mw_object_probes *p, struct mw_object_counts *ret_counts);
/* Calls of all functions until now. */
__u64 mw_object_calls(const struct mw_object_counts *c);
/* Every sample that is alive, in no order, with its weight. Return < 0 ends it. */
typedef int (*mw_object_fn)(pid_t pid, const struct mw_heap_record *record, void *arg);
int mw_object_probes_each(struct mw_object_probes *p, mw_object_fn fn, void *arg);
/* From now on one in so many bytes. What was sampled with less is thinned out, as if it had been so from the start. */
int mw_object_probes_thin(struct mw_object_probes *p, __u64 mean_bytes);
void mw_object_probes_forget(struct mw_object_probes *p); /* every sample */

#endif
