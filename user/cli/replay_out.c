/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A replayed recording for people and for programs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/size.h"
#include "util/table.h"

#define MANY 1024

void mw_tale_add(struct mw_tale *t, __u32 worker, const struct mw_replay_event *e)
{
	struct mw_told *told = t->told;

	if (t->n == t->room) {
		told = reallocarray(told, t->room ? 2 * t->room : 64, sizeof(*told));
		if (!told) {
			t->failed = true;
			return;
		}
		t->told = told;
		t->room = t->room ? 2 * t->room : 64;
	}
	told[t->n++] = (struct mw_told){worker, *e, *e->trend};
}

void mw_tale_free(struct mw_tale *t)
{
	free(t->told);
	*t = (struct mw_tale){0};
}

static double average(double byte_s, __u64 ns)
{
	return ns ? byte_s * MW_NS_PER_S / (double)ns : 0;
}

static __u64 lived_ns(const struct mw_replay_result *r)
{
	return r->last_ns - r->first_ns;
}

static void put_line(const char *line)
{
	char clean[MANY];

	puts(mw_text_clean(line, 0, clean, sizeof(clean)));
}

static void say_verdict(const struct mw_told *t, char *text, size_t size)
{
	char rate[32], left[32] = "", until[48] = "";

	if (t->trend.verdict == MW_STEADY) {
		snprintf(text, size, "steady: %s%s%s", t->trend.evidence, t->trend.against[0] ? "; " : "",
			 t->trend.against);
		return;
	}
	if (t->trend.time_to_limit_s >= 0)
		snprintf(until, sizeof(until), ", at its limit in %s",
			 mw_duration_format((__u64)(t->trend.time_to_limit_s * MW_NS_PER_S), left, sizeof(left)));
	snprintf(text, size, "%s: %s%s, sure to %.0f %%: %s%s%s", mw_trend_name(t->trend.verdict),
		 mw_rate_format(t->trend.rate_bytes_per_s, rate, sizeof(rate)), until, 100 * t->trend.confidence,
		 t->trend.evidence, t->trend.against[0] ? "; but: " : "", t->trend.against);
}

static const char *killed_where(enum mw_reason by)
{
	return by == MW_REASON_HEAP_SIZE   ? "at memory.max"
	       : by == MW_REASON_BIN_LIMIT ? "by policy strict for bin over its limit"
					   : "by policy strict over memory.high";
}

static void say_event(const struct mw_told *t, const struct mw_replay_result *r, char *text, size_t size)
{
	char bytes[24], limit[24], rest[32];

	mw_size_format(t->event.bytes, bytes, sizeof(bytes));
	mw_size_format(t->event.limit, limit, sizeof(limit));
	switch (t->event.what) {
	case MW_REPLAY_HIGH:
		snprintf(text, size, "over memory.high: %s that cannot be reclaimed, of %s", bytes, limit);
		break;
	case MW_REPLAY_HIBERNATE:
		snprintf(text, size, "hibernation would have been due: heap and bin %s of %s", bytes, limit);
		break;
	case MW_REPLAY_BIN:
		snprintf(text, size, "bin over its limit: %s of %s", bytes, limit);
		break;
	case MW_REPLAY_KILLED:
		snprintf(text, size, "would have been killed %s: %s of %s, %s before the end",
			 killed_where(r->killed_by), bytes, limit,
			 mw_duration_format(r->last_ns - t->event.time_ns, rest, sizeof(rest)));
		break;
	default:
		say_verdict(t, text, size);
	}
}

/* "50.0 MB" over a minute is 50.0 MB x min. */
static const char *byte_minutes(double byte_s, char *buf, size_t size)
{
	char bytes[24];

	snprintf(buf, size, "%s x min", mw_size_format((__u64)(fmin(byte_s / 60, 1e18) + 0.5), bytes, sizeof(bytes)));
	return buf;
}

static void print_costs(const struct mw_replayed *w)
{
	const struct mw_replay_result *r = &w->replay.result;
	char line[MANY], a[40], b[40], c[40];

	if (w->replay.limits.max == MW_UNLIMITED)
		return;
	snprintf(line, sizeof(line), "    over memory.high for %s, page cache over it for %s; %llu lift%s",
		 mw_duration_format(r->over_high_ns, a, sizeof(a)), mw_duration_format(r->squeezed_ns, b, sizeof(b)),
		 r->lifts, r->lifts == 1 ? "" : "s");
	put_line(line);
	snprintf(line, sizeof(line), "    saved %s of %s used (%.1f %%); reserved %s",
		 byte_minutes(r->saved_byte_s, a, sizeof(a)), byte_minutes(r->used_byte_s, b, sizeof(b)),
		 r->used_byte_s > 0 ? 100 * r->saved_byte_s / r->used_byte_s : 0,
		 byte_minutes(r->reserved_byte_s, c, sizeof(c)));
	put_line(line);
}

static void print_end(const struct mw_replayed *w)
{
	const struct mw_replay_result *r = &w->replay.result;
	const struct mw_told last = {.trend = r->trend};
	char line[MANY], text[MANY - 64], at[32], peak[24], most[24];

	if (!r->samples) {
		put_line("    no samples");
		return;
	}
	say_verdict(&last, text, sizeof(text));
	snprintf(line, sizeof(line), "  %12s  %s %s",
		 mw_duration_format(r->killed_ns ? r->killed_ns - r->first_ns : lived_ns(r), at, sizeof(at)),
		 r->killed_ns ? "last verdict:" : "at the end:", text);
	put_line(line);
	snprintf(line, sizeof(line), "    peak of heap and bin %s, of all %s; on average %s; %llu samples, %llu checks",
		 mw_size_format(r->peak_used, peak, sizeof(peak)), mw_size_format(r->peak_current, most, sizeof(most)),
		 mw_size_format((__u64)average(r->used_byte_s, lived_ns(r)), at, sizeof(at)), r->samples, r->checks);
	put_line(line);
	print_costs(w);
	if (r->not_as_said) {
		snprintf(line, sizeof(line),
			 "    the daemon itself said so at %llu of %llu checks: it had seen more, or other rules judge "
			 "here",
			 r->as_said, r->as_said + r->not_as_said);
		put_line(line);
	}
}

static void print_worker(__u32 id, const struct mw_replayed *w, const struct mw_tale *t)
{
	char line[MANY], text[MANY - 64], at[32], max[24], high[24];

	snprintf(line, sizeof(line), "%s%s%s%s: max_heap %s, memory.high %s, policy %s%s", w->about.name,
		 w->about.class_name[0] ? " (" : "", w->about.class_name, w->about.class_name[0] ? ")" : "",
		 mw_size_format(w->replay.rules.profile.max_heap, max, sizeof(max)),
		 mw_size_format(w->replay.limits.high, high, sizeof(high)),
		 mw_policy_name(w->replay.rules.profile.policy), w->ended ? "; it ended" : "");
	put_line(line);
	for (size_t i = 0; i < t->n; i++) {
		const struct mw_told *told = &t->told[i];

		if (told->worker != id)
			continue;
		say_event(told, &w->replay.result, text, sizeof(text));
		snprintf(line, sizeof(line), "  %12s  %s",
			 mw_duration_format(told->event.time_ns - w->replay.result.first_ns, at, sizeof(at)), text);
		put_line(line);
	}
	print_end(w);
}

void mw_tale_print(const char *file, const struct mw_replay_run *run, const struct mw_tale *t)
{
	char line[MANY], when[64];

	snprintf(line, sizeof(line), "%s: %u worker%s, %llu records%s%s%s", file, run->n_workers,
		 run->n_workers == 1 ? "" : "s", run->records, run->head.wall_ns ? ", from " : "",
		 run->head.wall_ns ? mw_json_time(run->head.wall_ns, when, sizeof(when)) : "",
		 run->cut      ? "; cut short: it ends within a record, which is left out"
		 : run->closed ? ""
			       : "; it was not ended in good order");
	put_line(line);
	for (__u32 i = 0; i < run->n_workers; i++)
		print_worker(i, &run->workers[i], t);
}

static void put_seconds(struct mw_json_out *o, const char *key, double s)
{
	if (s < 0)
		mw_json_null(o, key);
	else
		mw_json_double(o, key, s, 1);
}

static void put_trend(struct mw_json_out *o, const struct mw_trend *t)
{
	mw_json_text(o, "verdict", mw_trend_name(t->verdict));
	mw_json_double(o, "rate_bytes_per_s", t->rate_bytes_per_s, 1);
	put_seconds(o, "time_to_limit_s", t->time_to_limit_s);
	put_seconds(o, "time_to_limit_low_s", t->soonest_s);
	put_seconds(o, "time_to_limit_high_s", t->latest_s);
	mw_json_double(o, "confidence", t->confidence, 3);
	mw_json_text(o, "evidence", t->evidence);
	mw_json_text(o, "against", t->against);
}

/* Times count from the worker's first sample; where the wall clock is known, that too. */
static void put_time(struct mw_json_out *o, const char *key, const struct mw_replay_run *run,
		     const struct mw_replayed *w, __u64 time_ns)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_ns", key);
	if (time_ns)
		mw_json_u64(o, name, time_ns - w->replay.result.first_ns);
	else
		mw_json_null(o, name);
	if (strcmp(key, "at") == 0)
		mw_json_when(o, "time", run->head.wall_ns ? run->head.wall_ns + time_ns - run->head.time_ns : 0);
}

static struct json_object *event_json(const struct mw_told *t, const struct mw_replay_run *run,
				      const struct mw_replayed *w)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	put_time(&o, "at", run, w, t->event.time_ns);
	mw_json_text(&o, "what", mw_replay_what_name(t->event.what));
	mw_json_u64(&o, "bytes", t->event.bytes);
	mw_json_limit(&o, "limit_bytes", t->event.limit);
	if (t->event.what == MW_REPLAY_VERDICT)
		put_trend(&o, &t->trend);
	if (t->event.what == MW_REPLAY_KILLED)
		mw_json_text(&o, "reason", mw_reason_name(w->replay.result.killed_by));
	return mw_json_end(&o);
}

static struct json_object *result_json(const struct mw_replay_run *run, const struct mw_replayed *w)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	const struct mw_replay_result *r = &w->replay.result;

	put_trend(&o, &r->trend);
	mw_json_text(&o, "most", mw_trend_name(r->most));
	put_time(&o, "first_leak", run, w, r->leak_ns);
	put_time(&o, "killed_at", run, w, r->killed_ns);
	if (r->killed_ns) {
		mw_json_text(&o, "killed_by", mw_reason_name(r->killed_by));
		mw_json_u64(&o, "killed_before_end_ns", r->last_ns - r->killed_ns);
	}
	put_time(&o, "over_high_at", run, w, r->high_ns);
	put_time(&o, "hibernate_at", run, w, r->hibernate_ns);
	put_time(&o, "over_bin_at", run, w, r->bin_ns);
	mw_json_u64(&o, "over_high_for_ns", r->over_high_ns);
	mw_json_u64(&o, "cache_over_high_for_ns", r->squeezed_ns);
	mw_json_u64(&o, "lifts", r->lifts);
	mw_json_u64(&o, "lasted_ns", lived_ns(r));
	mw_json_u64(&o, "samples", r->samples);
	mw_json_u64(&o, "checks", r->checks);
	mw_json_u64(&o, "checks_as_said", r->as_said);
	mw_json_u64(&o, "checks_not_as_said", r->not_as_said);
	mw_json_u64(&o, "peak_bytes", r->peak_used);
	mw_json_u64(&o, "peak_unreclaimable_bytes", r->peak_needed);
	mw_json_u64(&o, "peak_usage_bytes", r->peak_current);
	mw_json_double(&o, "used_byte_seconds", r->used_byte_s, 0);
	mw_json_double(&o, "saved_byte_seconds", r->saved_byte_s, 0);
	mw_json_double(&o, "reserved_byte_seconds", r->reserved_byte_s, 0);
	return mw_json_end(&o);
}

struct json_object *mw_tale_json(const char *file, const struct mw_replay_run *run, const struct mw_tale *t)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct json_object *workers = json_object_new_array();

	mw_json_text(&o, "file", file);
	mw_json_when(&o, "started", run->head.wall_ns);
	mw_json_u64(&o, "records", run->records);
	mw_json_bool(&o, "cut", run->cut);
	mw_json_bool(&o, "closed", run->closed);
	for (__u32 i = 0; i < run->n_workers; i++) {
		const struct mw_replayed *w = &run->workers[i];
		struct mw_json_out one = mw_json_begin(json_object_new_object());
		struct json_object *events = json_object_new_array();

		for (size_t j = 0; j < t->n; j++)
			if (t->told[j].worker == i)
				json_object_array_add(events, event_json(&t->told[j], run, w));
		mw_json_text(&one, "name", w->about.name);
		mw_json_text(&one, "class", w->about.class_name);
		mw_json_limit(&one, "max_bytes", w->replay.limits.max);
		mw_json_limit(&one, "high_bytes", w->replay.limits.high);
		mw_json_bool(&one, "ended", w->ended);
		mw_json_put(&one, "changes", events);
		mw_json_put(&one, "end", result_json(run, w));
		json_object_array_add(workers, mw_json_end(&one));
	}
	mw_json_put(&o, "workers", workers);
	return mw_json_end(&o);
}
