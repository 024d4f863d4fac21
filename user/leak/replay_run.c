/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* From a recording's bytes to its workers, each judged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leak/replay.h"
#include "util/cleanup.h"

/* Whose event it is: a worker's replay knows only itself. */
struct teller {
	const struct mw_replay_asks *asks;
	__u32 worker;
};

static void on_event(const struct mw_replay_event *e, void *arg)
{
	const struct teller *t = arg;

	if (t->asks->event)
		t->asks->event(t->worker, e, t->asks->arg);
}

void mw_replay_run_free(struct mw_replay_run *run)
{
	for (__u32 i = 0; i < run->n_workers; i++) {
		free(run->workers[i].replay.arg);
		mw_replay_free(&run->workers[i].replay);
	}
	free(run->workers);
	*run = (struct mw_replay_run){0};
}

/* First of all: who is there, and whom the daemon checked. It also says what is wrong before anything is printed. */
static int survey(const char *name, const void *bytes, size_t size, struct mw_replay_run *run, struct mw_error *err)
{
	_cleanup_(mw_record_reader_free) struct mw_record_reader reader = {0};
	struct mw_record_item item;
	__u32 room = 0;
	int rc = mw_record_open(name, bytes, size, &reader, err);

	while (rc >= 0 && (rc = mw_record_next(&reader, &item, err)) == 1) {
		if (item.kind == MW_RECORD_WORKER && item.worker == run->n_workers) {
			struct mw_replayed *grown = run->workers;

			if (run->n_workers == room) {
				room = room ? 2 * room : 4;
				grown = reallocarray(grown, room, sizeof(*grown));
			}
			if (!grown)
				return mw_fail(err, -ENOMEM, "%s: no memory", name);
			run->workers = grown;
			memset(&grown[run->n_workers], 0, sizeof(*grown));
			grown[run->n_workers++].about = item.about;
		}
		if (item.kind == MW_RECORD_CHECK && run->workers)
			run->workers[item.worker].has_checks = true;
		if (item.kind != MW_RECORD_WORKER && item.time_ns > run->last_ns)
			run->last_ns = item.time_ns;
	}
	run->head = reader.head;
	run->records = reader.records;
	run->cut = reader.cut;
	run->closed = reader.closed;
	run->csv = reader.csv;
	return rc;
}

static int begin(struct mw_replay_run *run, __u32 i, const struct mw_replay_asks *asks, struct mw_error *err)
{
	struct mw_replayed *w = &run->workers[i];
	struct mw_replay_rules rules = {.profile = w->about.profile,
					.monitor = run->head.monitor,
					.own_rhythm = !w->has_checks};
	_cleanup_free_ struct teller *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return mw_fail(err, -ENOMEM, "no memory");
	*t = (struct teller){asks, i};
	rc = asks->rules(&w->about, &rules, asks->arg, err);
	if (rc < 0)
		return rc;
	rc = mw_replay_begin(&w->replay, &rules, on_event, t);
	if (rc < 0)
		return mw_fail(err, rc, "no memory for %u checks", rules.monitor.max_history);
	TAKE_PTR(t);
	return 0;
}

static int feed(struct mw_replay_run *run, const struct mw_record_item *item, const struct mw_replay_asks *asks)
{
	struct mw_replayed *w = &run->workers[item->worker];
	int rc = 0;

	switch (item->kind) {
	case MW_RECORD_WORKER:
		w->about = item->about;
		if (!asks->keep_profile)
			mw_replay_profile(&w->replay, &item->about.profile);
		break;
	case MW_RECORD_SAMPLE:
		if (asks->sample)
			rc = asks->sample(item->worker, &w->about, &item->usage, asks->arg);
		mw_replay_sample(&w->replay, &item->usage);
		break;
	case MW_RECORD_CHECK:
		mw_replay_check(&w->replay, item->time_ns, item->used, (int)item->said);
		break;
	case MW_RECORD_ENDED:
		mw_replay_end(&w->replay, item->time_ns);
		w->ended = true;
		break;
	default:
		break;
	}
	return rc;
}

int mw_replay_run(const char *name, const void *bytes, size_t size, const struct mw_replay_asks *asks,
		  struct mw_replay_run *ret_run, struct mw_error *err)
{
	_cleanup_(mw_record_reader_free) struct mw_record_reader reader = {0};
	_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
	struct mw_record_item item;
	int rc = survey(name, bytes, size, &run, err);

	if (rc < 0 || !run.workers) {
		if (rc >= 0)
			*ret_run = run; /* nobody is in it: nothing to free */
		return rc;
	}
	for (__u32 i = 0; rc >= 0 && i < run.n_workers; i++)
		rc = begin(&run, i, asks, err);
	if (rc >= 0)
		rc = mw_record_open(name, bytes, size, &reader, err);
	while (rc >= 0 && (rc = mw_record_next(&reader, &item, err)) == 1)
		rc = item.kind == MW_RECORD_CLOSE ? 0 : feed(&run, &item, asks);
	if (rc < 0)
		return rc;
	for (__u32 i = 0; i < run.n_workers; i++)
		if (!run.workers[i].ended && reader.closed && !reader.csv)
			mw_replay_end(&run.workers[i].replay, run.last_ns);
	*ret_run = run;
	run = (struct mw_replay_run){0};
	return 0;
}
