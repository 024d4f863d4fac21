/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/entry.h"

#include <stdio.h>

static void put_usage(struct mw_entry *e, const struct mw_worker *w)
{
	__u64 max = w->usage.time_ns ? w->usage.max : w->limits.max;
	char text[32];

	if (!w->usage.time_ns) /* never looked at */
		return;
	mw_entry_number(e, "MEMWEIR_USAGE_BYTES", w->usage.current);
	if (max != MW_UNLIMITED)
		mw_entry_number(e, "MEMWEIR_MAX_BYTES", max);
	snprintf(text, sizeof(text), "%.2f", w->check.percent);
	mw_entry_text(e, "MEMWEIR_PERCENT", text);
}

static void put_growth(struct mw_entry *e, const struct mw_worker *w)
{
	const struct mw_trend *t = w->line.verdict ? &w->line : &w->trend;
	char text[32];

	snprintf(text, sizeof(text), "%.0f", t->rate_bytes_per_s);
	mw_entry_text(e, "MEMWEIR_RATE_BYTES_PER_S", text);
	if (t->time_to_limit_s >= 0)
		mw_entry_number(e, "MEMWEIR_TIME_TO_LIMIT_S", (unsigned long long)t->time_to_limit_s);
}

static void put_worker(struct mw_entry *e, const struct mw_told_kind *kind, const struct mw_worker *w)
{
	mw_entry_text(e, "MEMWEIR_WORKER", w->name);
	mw_entry_text(e, "MEMWEIR_CLASS", w->class_name);
	mw_entry_text(e, "MEMWEIR_CGROUP", w->cgroup);
	mw_entry_number(e, "MEMWEIR_CGROUP_ID", w->cgroup_id);
	if (kind->flags & MW_TOLD_USAGE)
		put_usage(e, w);
	if (kind->flags & MW_TOLD_GROWTH)
		put_growth(e, w);
}

static void put_fact(struct mw_entry *e, const struct mw_fact *f)
{
	mw_entry_text(e, "MEMWEIR_WORKER", f->worker);
	mw_entry_text(e, "MEMWEIR_CLASS", f->class_name);
	mw_entry_text(e, "MEMWEIR_REASON", f->reason);
	if (f->pause_ns)
		mw_entry_number(e, "MEMWEIR_PAUSE_NS", f->pause_ns);
	mw_entry_text(e, "MEMWEIR_INCIDENT", f->incident);
	if (f->suppressed)
		mw_entry_number(e, "MEMWEIR_SUPPRESSED", f->suppressed);
	mw_entry_text(e, "MEMWEIR_SUPPRESSED_EVENT", f->suppressed_kind);
}

/* journald fills in OBJECT_COMM, OBJECT_CMDLINE… of it, as far as it is still there. */
static void put_process(struct mw_entry *e, const struct mw_told_kind *kind, const struct mw_worker *w,
			const struct mw_fact *fact)
{
	if (fact && fact->pid > 0)
		mw_entry_number(e, "OBJECT_PID", (unsigned long long)fact->pid);
	else if (w && kind->flags & MW_TOLD_PROCESS && w->main_pid > 0 && !w->main_gone)
		mw_entry_number(e, "OBJECT_PID", (unsigned long long)w->main_pid);
}

void mw_entry_make(struct mw_entry *e, const struct mw_told_kind *kind, int priority, const struct mw_worker *w,
		   const struct mw_fact *fact, const char *text)
{
	e->n = e->left_out = 0;
	mw_entry_text(e, "MESSAGE", text);
	mw_entry_number(e, "PRIORITY", (unsigned long long)priority);
	mw_entry_text(e, "SYSLOG_IDENTIFIER", "memweir");
	mw_entry_text(e, "MESSAGE_ID", kind->message_id);
	mw_entry_text(e, "MEMWEIR_EVENT", kind->name);
	if (w)
		put_worker(e, kind, w);
	if (fact)
		put_fact(e, fact);
	put_process(e, kind, w, fact);
}
