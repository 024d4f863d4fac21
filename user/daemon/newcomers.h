/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Who comes under guard by itself. The kernel side tells of programs and cgroups of no worker, and of programs started
 * in workers; an action thread finds out who that is (one at a time: it may have to wait for somebody else's memory, or
 * for an engine's files); core/rule.h decides; newcomers_admit.c takes them. What a storm leaves out is found by a scan
 * of all processes, as at the start and at a reload.
 */
#ifndef MW_NEWCOMERS_H
#define MW_NEWCOMERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "core/action.h"
#include "core/facts.h"
#include "core/rule.h"
#include "memweir/abi.h"

#define MW_NEWCOMERS_QUEUE	 2048 /* on their way; more are left to the next scan */
#define MW_NEWCOMERS_BATCH	 32 /* looked at by one action */
#define MW_NEWCOMERS_ASKS	 128 /* cgroups that may be containers, and were not found in any engine's files yet */
#define MW_NEWCOMERS_TAKEN	 8 /* on their way under guard together: others want action threads too */
#define MW_NEWCOMERS_PER_S	 500 /* told by the kernel side */
#define MW_NEWCOMERS_LEFT_OUT_NS 2000000000ULL /* after a storm: what it left out is looked for */

struct mw_guard;
struct mw_worker;

#define MW_NEWCOMER_NO_CONTAINER (1U << 31) /* in mw_arrival.flags: no engine knows its cgroup */

/* One on its way. */
struct mw_arrival {
	pid_t pid;
	__u32 flags; /* enum mw_newcomer_flag: what is new, it, its cgroup, or both */
	__u64 at_ns; /* when that was, CLOCK_MONOTONIC; 0: before we looked */
	__u64 cgroup_id; /* where it was then; 0: unknown */
};

/* A cgroup that looks like a container's; asked for again until an engine's files know it. */
struct mw_container_ask {
	char *cgroup; /* owned; NULL: a free place */
	struct mw_arrival who; /* the process that is known of it */
	__u64 due_ns;
	unsigned tries;
};

struct mw_rule_count {
	char name[MW_NAME_SIZE];
	__u64 matched; /* newcomers it has decided about */
};

struct mw_newcomers {
	struct mw_rule_needs needs;
	bool on; /* any of them */
	__u64 rules_sum; /* of the rules the last scan was made for */
	struct mw_rule_count *counts; /* of each rule, in their order */
	size_t n_counts;

	struct mw_arrival *queue; /* a ring */
	unsigned first, n;
	struct mw_facts_batch *batch; /* under way; NULL: none */
	struct mw_container_ask asks[MW_NEWCOMERS_ASKS];
	struct mw_asking *asking; /* the one that is being asked for; NULL: none */
	__u64 asked[MW_NEWCOMERS_ASKS]; /* ids of cgroups this scan has asked for: each has many processes */
	unsigned n_asked;
	struct mw_proc_scan *scan; /* every pid there is, fed into the queue as it empties; NULL: none under way */
	__u64 scan_due_ns, scanned_ns; /* 0: not due; the last one's beginning */
	unsigned taking; /* on their way under guard */
	__u64 looked_ns; /* at the kernel side's counters */
	sd_event_source *timer; /* for the next ask */

	__u64 told, dropped, kernel_dropped; /* arrivals; without room in the queue; left out by the kernel side */
	__u64 admitted, failed, gone; /* gone: ended before they were looked at */
	__u64 failure_told_ns;
};

/* The rules may have changed: tell the kernel side what is wanted, and look at who is there when they have. */
void mw_newcomers_apply(struct mw_guard *g);
void mw_newcomers_rescan(struct mw_guard *g); /* soon */
/* A record of the ring: MW_EVENT_NEWCOMER, and MW_EVENT_EXEC in w. */
void mw_newcomers_event(struct mw_guard *g, const struct mw_event *e);
void mw_newcomers_child(struct mw_guard *g, const struct mw_worker *w, const struct mw_event *e);
/* Somebody (an OCI hook) says that a container's first process is there. */
void mw_newcomers_announce(struct mw_guard *g, pid_t pid);
bool mw_newcomers_done(struct mw_guard *g, const struct mw_action_result *r); /* true: it was ours */
void mw_newcomers_tick(struct mw_guard *g); /* each beat */
void mw_newcomers_close(struct mw_guard *g); /* before the event loop goes */
void mw_newcomers_free(struct mw_guard *g); /* when no action thread runs any more */

/* newcomers_rules.c asks newcomers.c: a scan in in_ns at the latest; begin what is due. */
void mw_newcomers_scan_in(struct mw_newcomers *n, __u64 in_ns);
void mw_newcomers_pump(struct mw_guard *g);
void mw_newcomers_let_go(struct mw_newcomers *n); /* nothing is wanted any more: nobody is on the way */
/* newcomers_admit.c too: somebody is taken, the next may come. */
void mw_newcomers_judge(struct mw_guard *g);

/* newcomers_look.c: what an action thread does, and what it brings. */
struct mw_facts_batch {
	const char *mount;
	size_t n, next; /* next: the first that is not judged yet */
	bool ready; /* the thread is through */
	bool attributes; /* wanted too */
	struct mw_arrival who[MW_NEWCOMERS_BATCH];
	int status[MW_NEWCOMERS_BATCH]; /* of mw_facts_read */
	struct mw_facts facts[MW_NEWCOMERS_BATCH];
};
struct mw_asking {
	const char *mount;
	size_t place; /* in asks */
	char cgroup[1024]; /* asked */
	struct mw_container container; /* answered */
	__u64 id; /* of the container's cgroup */
	char trusted[MW_NAME_SIZE], user[MW_NAME_SIZE];
};
struct mw_proc_scan {
	pid_t *pids;
	size_t n, next;
	bool ready; /* the thread is through */
};
/* Fit mw_action.call. */
int mw_look_facts(void *batch, char *text, size_t size);
int mw_look_container(void *asking, char *text, size_t size);
int mw_look_scan(void *scan, char *text, size_t size);

/* newcomers_admit.c: what was found is judged by the rules, and taken under guard. */
void mw_admit_process(struct mw_guard *g, const struct mw_arrival *who, const struct mw_facts *f);
void mw_admit_container(struct mw_guard *g, struct mw_asking *asked, __u64 at_ns);
/* Might the cgroup of f be a container's? */
bool mw_admit_is_container(const struct mw_guard *g, const struct mw_facts *f);

#endif
