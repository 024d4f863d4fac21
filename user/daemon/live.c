/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Rows of all workers for who follows them: what has changed since the last time, at most once a second, everything
 * when somebody has joined and every 10 s. Made while somebody listens, 500 us in one turn of the loop; in parts of 64
 * KiB, those of each owner by themselves, since members of the group see their own alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/level.h"
#include "daemon/guard.h"
#include "daemon/recording.h"
#include "daemon/serve.h"
#include "leak/trend.h"
#include "report/json_text.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fnv.h"

#define EVERY_NS  (MW_NS_PER_S - 100 * MW_NS_PER_MS) /* every other sample of 500 ms, also when one is early */
#define FULL_NS	  (10 * MW_NS_PER_S)
#define PART_MAX  (63U << 10) /* of rows; what is around them fits into the rest */
#define PARTS_MAX 512 /* of one owner: as many as 65,536 workers may need */
#define GONE_MAX  1024 /* more at once: everything is sent anew */

struct gone {
	uid_t uid;
	__u64 id;
};

struct mw_live {
	bool joined, under_way, full;
	__u64 began_ns, full_ns, wall_ns;
	struct mw_worker_ref *refs; /* of this round, by owner */
	size_t n, done, gone_told; /* of gone, those that the round under way tells of */
	uid_t owner;
	struct mw_json_text parts[PARTS_MAX];
	size_t n_parts;
	struct gone gone[GONE_MAX];
	size_t n_gone;
};

struct mw_worker_ref {
	uid_t uid;
	__u64 id;
};

static int by_owner(const void *a, const void *b)
{
	const struct mw_worker_ref *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool followed(const struct mw_guard *g)
{
	return g->server && mw_server_streams(g->server, MW_TOPIC_LIVE);
}

void mw_live_join(struct mw_guard *g)
{
	if (!g->live)
		g->live = calloc(1, sizeof(*g->live));
	if (g->live)
		g->live->joined = true;
}

void mw_live_gone(struct mw_guard *g, const struct mw_worker *w)
{
	struct mw_live *l = g->live;

	if (!l || !followed(g))
		return;
	if (l->n_gone == GONE_MAX)
		l->joined = true; /* everything is sent, and who is not in it is gone */
	else
		l->gone[l->n_gone++] = (struct gone){w->uid, w->cgroup_id};
}

static unsigned flags_of(const struct mw_worker *w)
{
	const bool flags[] = {w->frozen_by_admin || w->freeze.frozen,
			      w->squeeze.lifted,
			      w->hibernated,
			      w->pace.told,
			      w->dry_run,
			      w->check.over_bin};
	unsigned bits = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		bits |= (unsigned)flags[i] << i;
	return bits;
}

static void put_comma_number(struct mw_json_text *t, __u64 value)
{
	mw_json_put_bytes(t, ",", 1);
	mw_json_put_number(t, value);
}

static void put_comma_limit(struct mw_json_text *t, __u64 value)
{
	mw_json_put_bytes(t, ",", 1);
	mw_json_put_limit(t, value);
}

/* 87.5 % in hundredths: "87.50". */
static void put_percent(struct mw_json_text *t, double percent)
{
	__u64 hundredths = percent > 0 && percent < 1e9 ? (__u64)(percent * 100 + 0.5) : 0;
	char rest[4] = {'.', (char)('0' + hundredths / 10 % 10), (char)('0' + hundredths % 10), 0};

	put_comma_number(t, hundredths / 100);
	mw_json_put_bytes(t, rest, 3);
}

static void put_row(struct mw_json_text *t, const struct mw_worker *w)
{
	bool seen = w->usage.time_ns;

	mw_json_put_text(t, t->more ? ",[" : "[");
	mw_json_put_number(t, w->cgroup_id);
	put_comma_number(t, w->usage.current);
	put_comma_number(t, w->usage.heap);
	put_comma_number(t, w->usage.bin);
	put_comma_limit(t, seen ? w->usage.high : w->limits.high);
	put_comma_limit(t, seen ? w->usage.max : w->limits.max);
	put_percent(t, w->check.percent);
	put_comma_number(t, w->level);
	put_comma_number(t, w->trend.verdict);
	put_comma_number(t, w->track ? w->track->stalled_ns : 0);
	put_comma_number(t, flags_of(w));
	mw_json_put_bytes(t, "]", 1);
	t->more = true;
}

/* Of its row; never 0. */
static __u64 hash_of(const char *text, size_t n)
{
	__u64 h = mw_fnv1a(MW_FNV1A, text, n);

	return h ? h : 1;
}

/* Its row, unless that is the one which was sent last. */
static void add_row(struct mw_live *l, struct mw_worker *w)
{
	struct mw_json_text *t;
	size_t at, comma;
	bool more;
	__u64 row;

	if (!l->n_parts || (l->parts[l->n_parts - 1].size > PART_MAX && l->n_parts < PARTS_MAX)) {
		l->parts[l->n_parts] = (struct mw_json_text){0};
		l->n_parts++;
	}
	t = &l->parts[l->n_parts - 1];
	at = t->size;
	more = t->more;
	put_row(t, w);
	if (t->failed)
		return;
	comma = at + more;
	row = hash_of(t->text + comma, t->size - comma);
	if (row == w->live_row && !l->full) {
		t->size = at;
		t->more = more;
	}
	w->live_row = row;
}

static void put_names(struct mw_json_text *t)
{
	mw_json_put_text(t, ",\"columns\":[\"cgroup_id\",\"usage_bytes\",\"heap_bytes\",\"bin_bytes\",\"high_bytes\","
			    "\"max_bytes\",\"percent\",\"level\",\"verdict\",\"stalled_ns\",\"flags\"],\"levels\":[");
	for (enum mw_level i = 0; i < MW_LEVEL_MAX; i++) {
		mw_json_put_text(t, i ? ",\"" : "\"");
		mw_json_put_text(t, mw_level_name(i));
		mw_json_put_text(t, "\"");
	}
	mw_json_put_text(t, "],\"verdicts\":[");
	for (enum mw_trend_verdict i = 0; i < MW_TREND_MAX; i++) {
		mw_json_put_text(t, i ? ",\"" : "\"");
		mw_json_put_text(t, mw_trend_name(i));
		mw_json_put_text(t, "\"");
	}
	mw_json_put_text(t, "]");
}

/* In the first part of its owner. */
static void put_gone(struct mw_json_text *t, const struct mw_live *l)
{
	bool more = false;

	for (size_t i = 0; i < l->gone_told; i++) {
		if (l->gone[i].uid != l->owner)
			continue;
		mw_json_put_text(t, more ? "," : "");
		mw_json_put_number(t, l->gone[i].id);
		more = true;
	}
}

static void send_part(struct mw_guard *g, size_t i)
{
	struct mw_live *l = g->live;
	struct mw_json_text t = {0}, *rows = &l->parts[i];

	mw_json_put_text(&t, "{\"t\":");
	mw_json_put_number(&t, l->wall_ns / MW_NS_PER_MS);
	mw_json_put_text(&t, l->full ? ",\"full\":true,\"owner\":" : ",\"full\":false,\"owner\":");
	mw_json_put_number(&t, l->owner);
	mw_json_put_text(&t, ",\"part\":");
	mw_json_put_number(&t, i);
	mw_json_put_text(&t, ",\"parts\":");
	mw_json_put_number(&t, l->n_parts);
	if (l->full)
		put_names(&t);
	mw_json_put_text(&t, ",\"rows\":[");
	mw_json_put_bytes(&t, rows->size ? rows->text : "", rows->size);
	mw_json_put_text(&t, "],\"gone\":[");
	if (i == 0)
		put_gone(&t, l);
	mw_json_put_bytes(&t, "]}", 3); /* and its end */
	if (t.failed || rows->failed)
		l->joined = true; /* what is missing comes with everything, as soon as there is memory */
	else
		mw_server_broadcast(g->server, MW_TOPIC_LIVE, l->owner, "workers", t.text);
	free(t.text);
}

static bool has_gone(const struct mw_live *l)
{
	for (size_t i = 0; i < l->gone_told; i++)
		if (l->gone[i].uid == l->owner)
			return true;
	return false;
}

/* All that there is of one owner. Root's is sent also when it is empty: it is a sign of life, and the time. */
static void send_owner(struct mw_guard *g)
{
	struct mw_live *l = g->live;

	if (!l->n_parts && (l->owner == 0 || has_gone(l)))
		l->parts[l->n_parts++] = (struct mw_json_text){0};
	for (size_t i = 0; i < l->n_parts; i++)
		send_part(g, i);
	for (size_t i = 0; i < l->n_parts; i++)
		free(l->parts[i].text);
	l->n_parts = 0;
}

/* Owners of whom nobody is left, but somebody has gone. */
static void send_gone(struct mw_guard *g)
{
	struct mw_live *l = g->live;

	for (size_t i = 0; i < l->gone_told; i++) {
		bool done = false;

		for (size_t k = 0; k < i && !done; k++)
			done = l->gone[k].uid == l->gone[i].uid;
		for (size_t k = 0; k < l->n && !done; k++)
			done = l->refs[k].uid == l->gone[i].uid;
		l->owner = l->gone[i].uid;
		if (!done && l->owner)
			send_owner(g);
	}
}

static void end_round(struct mw_live *l)
{
	for (size_t i = 0; i < l->n_parts; i++)
		free(l->parts[i].text);
	l->n_parts = 0;
	free(l->refs);
	l->refs = NULL;
	l->under_way = false;
	l->n_gone -= l->gone_told;
	memmove(l->gone, l->gone + l->gone_told, l->n_gone * sizeof(l->gone[0]));
	l->gone_told = 0;
}

void mw_live_turn(struct mw_guard *g)
{
	struct mw_live *l = g->live;
	__u64 until_ns = mw_turn_end_ns(g);
	bool time_left = true;

	if (!l || !l->under_way)
		return;
	if (!followed(g))
		return end_round(l);
	while (l->done < l->n && time_left) {
		struct mw_worker *w = mw_worker_by_id(&g->workers, l->refs[l->done].id);

		if (l->refs[l->done].uid != l->owner) {
			send_owner(g);
			l->owner = l->refs[l->done].uid;
		}
		if (w)
			add_row(l, w);
		l->done++;
		time_left = mw_now_ns() < until_ns;
	}
	if (l->done < l->n)
		return mw_loop_go_on(g);
	send_owner(g);
	send_gone(g);
	end_round(l);
}

bool mw_live_under_way(const struct mw_guard *g)
{
	return g->live && g->live->under_way;
}

void mw_live_sampled(struct mw_guard *g, __u64 now_ns)
{
	struct mw_live *l = g->live;
	struct mw_worker *w;
	size_t n = 0;

	if (!l || l->under_way || !followed(g) || (!l->joined && now_ns - l->began_ns < EVERY_NS))
		return;
	l->refs = calloc(g->workers.count + 1, sizeof(l->refs[0]));
	if (!l->refs)
		return;
	for (w = g->workers.by_id; w; w = w->by_id.next)
		l->refs[n++] = (struct mw_worker_ref){w->uid, w->cgroup_id};
	qsort(l->refs, n, sizeof(l->refs[0]), by_owner);
	l->full = l->joined || now_ns - l->full_ns >= FULL_NS;
	l->joined = false;
	l->began_ns = now_ns;
	l->full_ns = l->full ? now_ns : l->full_ns;
	l->wall_ns = mw_wall_ns();
	l->n = n;
	l->done = l->n_parts = 0;
	l->owner = 0;
	l->gone_told = l->n_gone;
	l->under_way = true;
	mw_live_turn(g);
}

void mw_live_close(struct mw_guard *g)
{
	if (g->live)
		end_round(g->live);
	free(g->live);
	g->live = NULL;
}
