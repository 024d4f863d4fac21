/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The screen of one worker: its curve, then all the daemon has to say of it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/field.h"
#include "cli/top_view.h"
#include "util/size.h"

enum { CURVE_ROWS = 8, SITES = 5, FRAMES = 6, INCIDENTS = 8, MARKS = 12, INDENT = 2 };

/* A text that is longer than the screen: lines are counted, and those in sight drawn. */
struct page {
	struct mw_canvas *canvas;
	int row, end, scroll;
	int lines;
};

static int row_of(const struct page *p)
{
	int at = p->row + p->lines - p->scroll;

	return at >= p->row && at < p->end ? at : -1;
}

/* Sentences are wrapped: their end is often what counts. */
__attribute__((format(printf, 4, 5))) static void line(struct page *p, int indent, enum mw_top_look look,
						       const char *fmt, ...)
{
	char text[1024];
	const char *at = text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	do {
		size_t take = mw_canvas_wrap(at, p->canvas->width - indent);

		mw_canvas_putf(p->canvas, row_of(p), indent, 0, look, "%.*s", (int)take, at);
		p->lines++;
		at += take;
		at += strspn(at, " ");
	} while (*at);
}

static void head(struct page *p, const char *title)
{
	p->lines++;
	line(p, 0, MW_LOOK_HEAD, "%s", title);
}

static void put_title(struct page *p, const struct mw_top_worker *w)
{
	enum mw_top_mood mood;
	const char *word = mw_top_attention(w, &mood);
	char used[32], size[32], max[48], left[32];

	mw_top_left(w->verdict > MW_STEADY ? w->limit_s : -1, left, sizeof(left));
	if (w->max == MW_UNLIMITED)
		snprintf(max, sizeof(max), ", no memory.max");
	else
		snprintf(max, sizeof(max), " of %s", mw_size_format(w->max, size, sizeof(size)));
	line(p, 0, MW_LOOK_TITLE, "%s (%s): %s%s, %.1f %% of max_heap", w->name, w->class_name,
	     mw_size_format(w->usage, used, sizeof(used)), max, w->percent);
	line(p, 0, *word ? mw_top_look_of(mood) : MW_LOOK_GOOD, "%s%s%s", *word ? word : "ok",
	     *left ? ", meets its limit in " : "", left);
}

static void put_curve(struct page *p, const struct mw_top *m, const struct mw_top_worker *w)
{
	mw_top_curve(p->canvas, m, w, p->row, p->end, p->row + p->lines - p->scroll, CURVE_ROWS);
	p->lines += CURVE_ROWS;
	line(p, 11, MW_LOOK_DIM, "the last minute, now at the right");
}

static void put_figures(struct page *p, struct json_object *o)
{
	char heap[MW_TEXT], bin[MW_TEXT], peak[MW_TEXT], high[MW_TEXT], max[MW_TEXT];

	if (!o)
		return;
	line(p, 0, MW_LOOK_PLAIN, "heap %s, bin %s, peak %s; high %s, max %s; %.0f processes, policy %s",
	     mw_say_bytes(o, "heap_bytes", heap), mw_say_bytes(o, "bin_bytes", bin),
	     mw_say_bytes(o, "peak_bytes", peak), mw_say_limit(o, "high_bytes", high),
	     mw_say_limit(o, "max_bytes", max), mw_field_number(o, "pids", 0), mw_field_str(o, "policy"));
	line(p, 0, MW_LOOK_DIM, "pid %.0f: %.300s", mw_field_number(o, "main_pid", 0), mw_field_str(o, "command"));
	if (mw_field_object(o, "not_in_force"))
		line(p, 0, MW_LOOK_WARN, "its limits are not in force: %s",
		     mw_field_str(mw_field_object(o, "not_in_force"), "why"));
}

static void put_list(struct page *p, const char *before, struct json_object *list)
{
	for (size_t i = 0; i < mw_field_length(list); i++) {
		const char *text = json_object_get_string(json_object_array_get_idx(list, i));

		line(p, INDENT, MW_LOOK_PLAIN, "%s%s", before, text ? text : "");
	}
}

static void put_frame(struct page *p, struct json_object *f, int depth)
{
	const char *module = strrchr(mw_field_str(f, "module"), '/');
	const char *function = mw_field_str(f, "function"), *file = mw_field_str(f, "file");
	__u64 offset = 0;

	module = module ? module + 1 : mw_field_str(f, "module");
	if (*function && *file)
		line(p, 2 * INDENT + depth, MW_LOOK_PLAIN, "%.200s  %.200s:%.0f", function, file,
		     mw_field_number(f, "line", 0));
	else if (*function)
		line(p, 2 * INDENT + depth, MW_LOOK_PLAIN, "%.200s  %.200s", function, module);
	else if (mw_field_u64(f, "offset", &offset))
		line(p, 2 * INDENT + depth, MW_LOOK_PLAIN, "%.200s+0x%llx", module, (unsigned long long)offset);
}

/* Innermost first, each caller one column deeper. */
static void put_sites(struct page *p, struct json_object *sites)
{
	size_t n = mw_field_length(sites);
	char bytes[MW_TEXT];

	for (size_t i = 0; i < n && i < SITES; i++) {
		struct json_object *site = json_object_array_get_idx(sites, i),
				   *frames = mw_field_array(site, "frames");

		line(p, INDENT, MW_LOOK_TITLE, "%s, %.0f %%, %.40s", mw_say_bytes(site, "bytes", bytes),
		     100 * mw_field_number(site, "share", 0), mw_field_str(site, "kind"));
		for (size_t j = 0; j < mw_field_length(frames) && j < FRAMES; j++)
			put_frame(p, json_object_array_get_idx(frames, j), (int)j);
		if (mw_field_length(frames) > FRAMES)
			line(p, 2 * INDENT + FRAMES, MW_LOOK_DIM, "%zu more (memweir report leaks)",
			     mw_field_length(frames) - FRAMES);
	}
	if (n > SITES)
		line(p, INDENT, MW_LOOK_DIM, "%zu more places", n - SITES);
}

static void put_leak(struct page *p, struct json_object *leak)
{
	char rate[MW_TEXT], since[MW_TEXT], soonest[32], latest[32], left[32], range[80] = "";

	head(p, "LEAK");
	mw_top_left(mw_field_number(leak, "time_to_limit_s", -1), left, sizeof(left));
	mw_top_left(mw_field_number(leak, "time_to_limit_low_s", -1), soonest, sizeof(soonest));
	mw_top_left(mw_field_number(leak, "time_to_limit_high_s", -1), latest, sizeof(latest));
	if (*soonest && *latest)
		snprintf(range, sizeof(range), " (%s to %s)", soonest, latest);
	line(p, INDENT, MW_LOOK_PLAIN, "%s, %s since %s, sure %.0f %%%s%s%s", mw_field_str(leak, "verdict"),
	     mw_say_rate(mw_field_number(leak, "rate_bytes_per_s", 0), rate), mw_say_time(leak, "onset", since),
	     100 * mw_field_number(leak, "confidence", 0), *left ? ", meets its limit in " : "", left, range);
	put_list(p, "", mw_field_array(leak, "evidence"));
	put_list(p, "but ", mw_field_array(leak, "against"));
	put_sites(p, mw_field_array(leak, "sites"));
}

static void put_pauses(struct page *p, struct json_object *pauses)
{
	struct json_object *kinds = mw_field_object(pauses, "kinds");
	bool any = false;

	head(p, "PAUSES");
	if (kinds) {
		json_object_object_foreach (kinds, kind, k) {
			char total[MW_TEXT], p50[MW_TEXT], p99[MW_TEXT], most[MW_TEXT];

			if (mw_field_number(k, "count", 0) < 1)
				continue;
			any = true;
			line(p, INDENT, MW_LOOK_PLAIN,
			     "%-18s %8.0f times, %s in all, half below %s, 99 %% below %s, longest %s", kind,
			     mw_field_number(k, "count", 0), mw_say_ns(k, "total_ns", total),
			     mw_say_ns(k, "p50_ns", p50), mw_say_ns(k, "p99_ns", p99), mw_say_ns(k, "max_ns", most));
		}
	}
	if (any)
		line(p, INDENT, MW_LOOK_PLAIN, "stalled %.1f %% of the last minute",
		     100 * mw_field_number(pauses, "stalled_share", 0));
	else
		line(p, INDENT, MW_LOOK_DIM, "none");
}

/* What happened in the last minute: pauses, lifts, reclaims, levels. Newest first. */
static void put_marks(struct page *p, struct json_object *marks)
{
	struct json_object *list = mw_field_array(marks, "marks");
	size_t n = mw_field_length(list);

	head(p, "LAST MINUTE");
	if (!n)
		line(p, INDENT, MW_LOOK_DIM, "nothing happened");
	for (size_t i = 0; i < n && i < MARKS; i++) {
		struct json_object *mark = json_object_array_get_idx(list, n - 1 - i);

		line(p, INDENT, MW_LOOK_PLAIN, "%.0f s ago  %.40s  %.400s", -mw_field_number(mark, "t_ms", 0) / 1000,
		     mw_field_str(mark, "type"), mw_field_str(mark, "text"));
	}
	if (n > MARKS)
		line(p, INDENT, MW_LOOK_DIM, "%zu more", n - MARKS);
}

static void put_ladder(struct page *p, struct json_object *steps)
{
	size_t n = mw_field_length(steps);

	head(p, "WHAT WAS DONE");
	if (!n)
		line(p, INDENT, MW_LOOK_DIM, "nothing");
	for (size_t i = 0; i < n; i++) {
		struct json_object *s = json_object_array_get_idx(steps, n - 1 - i);
		double ms = mw_field_number(s, "took_ms", -1);
		char before[MW_TEXT], after[MW_TEXT], when[MW_TEXT];

		mw_say_time(s, "time", when);
		mw_say_bytes(s, "before_bytes", before);
		if (ms < 0)
			line(p, INDENT, MW_LOOK_PLAIN, "%s  %s at level %s, %s: under way", when,
			     mw_field_str(s, "rung"), mw_field_str(s, "level"), before);
		else
			line(p, INDENT, MW_LOOK_PLAIN, "%s  %s at level %s, %s: %s after %.0f ms, level %s", when,
			     mw_field_str(s, "rung"), mw_field_str(s, "level"), before,
			     mw_say_bytes(s, "after_bytes", after), ms, mw_field_str(s, "level_after"));
	}
}

static void put_advice(struct page *p, struct json_object *list)
{
	if (mw_field_length(list))
		head(p, "ADVICE");
	for (size_t i = 0; i < mw_field_length(list); i++)
		line(p, INDENT, MW_LOOK_PLAIN, "%s", mw_field_str(json_object_array_get_idx(list, i), "text"));
}

static void put_incidents(struct page *p, struct json_object *list)
{
	size_t n = mw_field_length(list);

	head(p, "INCIDENTS");
	if (!n)
		line(p, INDENT, MW_LOOK_DIM, "none");
	for (size_t i = 0; i < n && i < INCIDENTS; i++) {
		struct json_object *inc = json_object_array_get_idx(list, i);
		char when[MW_TEXT];

		line(p, INDENT, MW_LOOK_PLAIN, "%s  %s: %s  (memweir report %s)", mw_say_time(inc, "time", when),
		     mw_field_str(inc, "reason"), mw_field_str(inc, "why"), mw_field_str(inc, "id"));
	}
}

int mw_top_draw_worker(struct mw_canvas *c, const struct mw_top *m, const struct mw_top_worker *w,
		       struct json_object *document, struct json_object *marks, int row, int end, int scroll)
{
	struct page p = {.canvas = c, .row = row, .end = end, .scroll = scroll};

	if (w) {
		put_title(&p, w);
		put_curve(&p, m, w);
	} else {
		line(&p, 0, MW_LOOK_WARN, "this worker has ended; what is below is the last that was told");
	}
	if (!document) {
		line(&p, 0, MW_LOOK_DIM, "asking the daemon");
		return p.lines;
	}
	put_figures(&p, mw_field_object(document, "worker"));
	put_leak(&p, mw_field_object(document, "leak"));
	put_pauses(&p, mw_field_object(document, "pauses"));
	if (marks)
		put_marks(&p, marks);
	put_ladder(&p, mw_field_array(document, "ladder"));
	put_advice(&p, mw_field_array(document, "recommendations"));
	put_incidents(&p, mw_field_array(document, "incidents"));
	return p.lines;
}
