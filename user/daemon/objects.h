/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Objects of a suspect whose heap nobody samples, watched from outside: its allocator is probed for some seconds, again
 * and again (leak/watch.h), one worker at a time. objects.c decides, in the event loop; objects_job.c does it, in
 * an action thread.
 */
#ifndef MW_DAEMON_OBJECTS_H
#define MW_DAEMON_OBJECTS_H

#include "daemon/kernel_objects.h"
#include "daemon/probe_check.h"
#include "leak/watch.h"

#define MW_OBJECTS_PROCESSES 4 /* of a worker: those with most memory; each costs a second to let go */
#define MW_OBJECTS_MEAN	     4096ULL /* bytes between two samples, until there are too many */

struct mw_objects {
	struct mw_object_probes *probes; /* NULL: nobody was watched yet */
	struct mw_probe_check check;
	bool checked;
	__u64 cgroup_id; /* whose samples are kept; 0: nobody's */
	__u64 turn_ns; /* since when */
	bool attached, under_way; /* probes; an action on them */
	bool otel; /* what is attached are static probes of a sampler in the process */
	bool fresh; /* what is kept is another worker's */
	__u64 mean_bytes;
	__u64 others; /* samples that went otherwise than counted: forgotten, thinned out */
};

/* What an action thread is given, and gives back. */
struct mw_objects_job {
	enum mw_objects_what { MW_OBJECTS_ATTACH, MW_OBJECTS_DETACH, MW_OBJECTS_THIN } what;
	struct mw_object_probes *probes; /* made here where it is NULL */
	struct mw_probe_check check;
	bool checked; /* done here where it is not */
	bool fresh; /* another worker's samples go first */
	__u64 mean_bytes;
	struct mw_watch_budget budget;
	__u64 cgroup_id;
	int cgroup_fd; /* owned; -1: none */
	/* what came of it */
	bool otel, burst;
	__u64 since_ns, calls, own_ns; /* as the probes began; of a burst calls: how many within it */
	bool counted; /* others is known: samples were forgotten or thinned out */
	__u64 others;
	unsigned n_processes, n_other; /* watched; of the worker's processes those that are not */
	__u64 done_ns;
};
void mw_objects_job_free(struct mw_objects_job *job); /* without what it was lent */
/* The action's call: arg is the job; text: what was done, or why not. */
int mw_objects_job_run(void *arg, char *text, size_t size);

#endif
