/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What people read: one function per kind of line, used by the log and the
 * command line alike. One line per fact with the numbers behind it, no newline. Each writes into buf
 * (256 bytes hold any of them but the longest command line), cuts what does not fit, and returns buf.
 */
#ifndef MW_TEXT_H
#define MW_TEXT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/culprit.h"
#include "core/worker.h"
#include "report/incident.h"

/* A line about w without its "worker NAME (CLASS)": a part of text. */
const char *mw_text_bare(const struct mw_worker *w, const char *text);
/* "worker web-7 (tool) started: pid 4711, limit 50.0 MB, policy protect: npx some-server" */
const char *mw_text_started(const struct mw_worker *w, char *buf, size_t size);
/* "worker web-7 (tool) ended: exit status 0, peak 43.8 MB, lived 3 h 5 min" */
const char *mw_text_ended(const struct mw_worker *w, __u64 now_ns, char *buf, size_t size);
/* "worker leaky (tool) died: heap_size: WHY"; inc->why is there already. */
const char *mw_text_died(const struct mw_worker *w, const struct mw_incident *inc, char *buf, size_t size);

/* "worker web-7 (tool) memory high: 87.5 % (43.8 of 50.0 MB)" */
const char *mw_text_high(const struct mw_worker *w, char *buf, size_t size);
/* "worker web-7 (tool) memory normal again: 61.2 % (30.6 of 50.0 MB)" */
const char *mw_text_normal(const struct mw_worker *w, char *buf, size_t size);
/* "worker leaky (tool) growing: 1.2 MB/s for 45 s, meets its limit of 50.0 MB in 33 s (r2 0.99)"; "steady: EVIDENCE" */
const char *mw_text_trend(const struct mw_worker *w, char *buf, size_t size);
const char *mw_text_site(const struct mw_worker *w, char *buf, size_t size); /* w->sites->top */
/* "worker x (tool) bin over its limit: 27.1 of 25.0 MB (shmem 20.0 MB, sockets 5.0 MB, kernel 2.1 MB)" */
const char *mw_text_bin(const struct mw_worker *w, char *buf, size_t size);

/*
 * "worker x (tool) memory.high of 42.5 MB lifted at 42.9 MB: a task slept 12 ms, woken by 1 freeze pulse". slept_ns:
 * how long a task had slept in the throttle; 0: lifted before it did.
 */
const char *mw_text_lift(const struct mw_worker *w, __u64 slept_ns, __u64 pulses, bool dry_run, char *buf, size_t size);
/* "worker x (tool) memory.high restored to 42.5 MB after 3.2 s, usage 39.0 MB" */
const char *mw_text_restore(const struct mw_worker *w, __u64 now_ns, char *buf, size_t size);
/* "worker x (context) should hibernate: 92.0 % (92.0 of 100.0 MB); enable_hibernation is off" */
const char *mw_text_recommend(const struct mw_worker *w, char *buf, size_t size);
/*
 * "worker x (context) hibernated: 31.2 MB saved (34.1 %), 60.2 MB left", or "... not hibernated: WHY_NOT".
 * before: usage when it began. why_not: NULL or a sentence.
 */
const char *mw_text_hibernated(const struct mw_worker *w, __u64 before, __u64 saved, const char *why_not, char *buf,
			       size_t size);
/* "; before it: notify freed nothing in 1 s", about the step before the newest one on this rung; "" without. */
const char *mw_text_step_before(const struct mw_worker *w, enum mw_rung rung, char *buf, size_t size);
/* "worker w3 (tool) should hibernate: 62.0 MB idle for 10 min" */
const char *mw_text_idle(const struct mw_worker *w, __u64 now_ns, char *buf, size_t size);
/* "worker x (tool) told to free memory: level hibernate-now, 87.5 % (43.8 of 50.0 MB)" */
const char *mw_text_told(const struct mw_worker *w, char *buf, size_t size);
/*
 * "worker a (tool) paused 53 ms: max-reclaim, 128 pages freed (python3, thread 811): the tree budget of 300.0 MB is
 * full; b (tool) filled it: +41.2 MB in 10 s"
 */
const char *mw_text_pause(const struct mw_worker *w, const struct mw_event *e, const struct mw_cause *cause, char *buf,
			  size_t size);
/*
 * "worker web-7 (tool) reclaims often: 84 passes in a minute, stalled 3.1 % of the time; 80 of them at a memory.high,
 * its own is 42.5 MB; it uses 42.3 MB, 12.0 MB of it page cache"
 */
const char *mw_text_often(const struct mw_worker *w, char *buf, size_t size);
/* "worker web-7 (tool) reclaims often no more: 412 passes in 5 min 3 s, 25 in the last minute" */
const char *mw_text_often_over(const struct mw_worker *w, char *buf, size_t size);

/*
 * An incident's sentence, for inc->why: "leaky grew to its hard limit of 50.0 MB (memory.max) and the kernel killed it:
 * 48.9 MB heap, 301.2 KB bin; it had been growing 1.2 MB/s for 45 s". inc's other fields are filled in already; the
 * figures are w's last look.
 */
const char *mw_text_why(const struct mw_incident *inc, const struct mw_worker *w, char *buf, size_t size);
/*
 * inc->killed_by of a death: "kernel (memory.max)", "kernel (host memory)", "memweir (strict)", "admin", "signal 11",
 * or "". What the caller has put there ("admin uid 0") stays. buf may be inc->killed_by.
 */
const char *mw_text_killed_by(const struct mw_incident *inc, const struct mw_worker *w, char *buf, size_t size);

#endif
