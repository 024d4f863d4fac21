/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What top knows: the workers as the daemon's stream and documents tell them, a minute of each one's past, and which
 * of them are shown in which order. Pure: documents in, rows out; it asks neither the daemon nor a clock.
 */
#ifndef MW_TOP_MODEL_H
#define MW_TOP_MODEL_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/level.h"
#include "leak/trend.h"
#include "memweir/abi.h"

#define MW_TOP_POINTS  60 /* of a worker's past, one a second */
#define MW_TOP_NONE    (~0ULL) /* a second of which nothing is known */
#define MW_TOP_WORKERS 100000 /* more rows than that are not kept */

/* The bits of "flags" in /v1/live; the last is top's own. */
enum mw_top_flag {
	MW_TOP_FROZEN = 1 << 0,
	MW_TOP_LIFTED = 1 << 1,
	MW_TOP_HIBERNATED = 1 << 2,
	MW_TOP_PACED = 1 << 3,
	MW_TOP_DRY_RUN = 1 << 4,
	MW_TOP_OVER_BIN = 1 << 5,
	MW_TOP_NOT_IN_FORCE = 1 << 16,
};

struct mw_top_worker {
	__u64 id; /* of its cgroup */
	char name[MW_NAME_SIZE], class_name[MW_NAME_SIZE]; /* name "": not known yet */
	__u64 usage, heap, bin, high, max; /* bytes; MW_UNLIMITED: none */
	double percent; /* of max_heap */
	enum mw_level level;
	enum mw_trend_verdict verdict;
	unsigned flags;
	__u64 stalled_ns; /* all of them so far */
	double stalled_share; /* of the last ten seconds, 0..; ps says its own until two points are here */
	double limit_s; /* until it meets its limit; < 0: never, or not known */
	__u64 limit_asked_ms; /* when that was asked last, unix ms */
	__u64 seen_ms; /* when the daemon spoke of it last */
	/* Its last minute; the newest is at the model's head. MW_TOP_NONE: nothing is known. */
	__u64 past[MW_TOP_POINTS], stalls[MW_TOP_POINTS];
	bool streamed; /* its figures come from the stream */
	bool told_past; /* the daemon's own past was asked for */
	int attention; /* row of the table in top_order.c */
};

enum mw_top_sort {
	MW_TOP_BY_ATTENTION,
	MW_TOP_BY_USAGE,
	MW_TOP_BY_PERCENT,
	MW_TOP_BY_GROWTH,
	MW_TOP_BY_STALLS,
	MW_TOP_BY_NAME,
	MW_TOP_BY_CLASS,
	MW_TOP_SORT_MAX,
};
const char *mw_top_sort_name(enum mw_top_sort by); /* "attention" */
/* The key of that name, -EINVAL. */
int mw_top_sort_parse(const char *name, enum mw_top_sort *ret_by);

/* Of the host and of the guard, in the first lines. */
struct mw_top_host {
	char name[65], version[32];
	__u64 mem_total, mem_available; /* bytes; 0: not known */
	__u64 budget; /* of all workers; MW_UNLIMITED: none */
	__u64 lost; /* records, copies and log lines nobody got */
	bool dry_run;
};

struct mw_top {
	struct mw_top_worker **workers; /* sorted by id */
	size_t n_workers, room;
	size_t n_unnamed; /* whose name is not known */
	struct mw_top_worker **rows; /* what is shown, in order; same room */
	size_t n_rows;
	struct mw_top_host host;
	/* The names of the stream's numbers, so that a daemon may have other ones. */
	enum mw_level levels[16];
	enum mw_trend_verdict verdicts[16];
	unsigned head; /* of every worker's past */
	__u64 head_ms; /* its time, unix ms; 0: none yet */
	bool streaming; /* /v1/live speaks; else what is listed counts */
	bool gap; /* the daemon was away since the last point */
	/* How rows are chosen. */
	enum mw_top_sort sort;
	bool reverse;
	char filter[64]; /* part of a name, class, level or verdict; "": all */
	char only_class[MW_NAME_SIZE]; /* "": all */
};

void mw_top_init(struct mw_top *m);
void mw_top_free(struct mw_top *m);

/* One event of /v1/live, or a document of /v1/workers at unix time now_ms; whole: of all workers. 0; -EBADMSG when
 * it is not one; -ENOMEM. */
int mw_top_live(struct mw_top *m, const char *data);
int mw_top_listed(struct mw_top *m, struct json_object *doc, __u64 now_ms, bool whole);
/* /v1/history: what was before top started. */
void mw_top_history(struct mw_top *m, struct json_object *doc);
/* /healthz, and /v1/workers/NAME/level. */
void mw_top_health(struct mw_top *m, struct json_object *doc);
void mw_top_levelled(struct mw_top *m, struct json_object *doc, __u64 now_ms);
/* /proc/meminfo. */
void mw_top_meminfo(struct mw_top *m, const char *text);
/* The connection was lost: what follows does not join what was. */
void mw_top_away(struct mw_top *m);

struct mw_top_worker *mw_top_find(const struct mw_top *m, __u64 id); /* NULL: none */
struct mw_top_worker *mw_top_named(const struct mw_top *m, const char *name);
/* Bytes i seconds ago, MW_TOP_NONE; of a list of the worker's own. */
__u64 mw_top_ago(const struct mw_top *m, const __u64 list[MW_TOP_POINTS], unsigned i);
/* Bytes a second over what is known of the last half minute. */
double mw_top_growth(const struct mw_top *m, const struct mw_top_worker *w);

/* What of a worker needs attention: a word for it ("leak", "at its limit"), "" when nothing does; and how bad. */
enum mw_top_mood { MW_TOP_CALM, MW_TOP_NOTICE, MW_TOP_WARN, MW_TOP_BAD };
const char *mw_top_attention(const struct mw_top_worker *w, enum mw_top_mood *ret_mood);

struct mw_top_sums {
	__u64 usage;
	size_t leaks, suspects, critical, stalled, frozen, lifted, alerts; /* alerts: workers with any of the worst */
};
struct mw_top_sums mw_top_sums(const struct mw_top *m);

/* Chooses and sorts the rows. */
void mw_top_order(struct mw_top *m);
/* The class after this one in the order of names, "" behind the last. */
void mw_top_next_class(struct mw_top *m);

#endif
