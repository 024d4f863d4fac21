/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/watch.h"

#define S	      1000000000ULL
#define LOOK_NS	      (S / 10) /* a rate over less says little */
#define PAUSE_NS      (2 * S) /* at least */
#define SHED_NS	      (60 * S) /* after too many calls; twice as long each time */
#define SHED_DOUBLED  6 /* times: an hour */
#define BURST_SHARE_S 4 /* a quarter of a second's calls may come at once */

bool mw_watch_over(const struct mw_watch_budget *b, __u64 elapsed_ns, __u64 calls)
{
	double allowed = (double)b->calls_per_s * ((double)elapsed_ns / (double)S + 1.0 / BURST_SHARE_S);

	return (double)calls > allowed;
}

static __u64 cost_of(const struct mw_watch_budget *b, __u64 calls, __u64 own_ns)
{
	__u64 ns = calls * b->call_ns; /* our programs are in it, as they were on a quiet child */

	return ns > own_ns ? ns : own_ns;
}

static void close_it(struct mw_watch *w, bool shed)
{
	w->phase = MW_WATCH_CLOSING;
	w->shed = shed;
	w->sheds = shed ? w->sheds + 1 : 0;
}

static enum mw_watch_do look(struct mw_watch *w, const struct mw_watch_budget *b, __u64 now_ns, __u64 calls,
			     __u64 own_ns)
{
	__u64 ago = now_ns - w->last_ns, spent = w->spent_ns + cost_of(b, calls - w->calls, own_ns - w->own_ns);

	if (ago < LOOK_NS)
		return MW_WATCH_NOTHING;
	w->rate = (__u64)((double)(calls - w->last_calls) * (double)S / (double)ago);
	if (mw_watch_over(b, ago, calls - w->last_calls)) {
		close_it(w, true);
		return MW_WATCH_DETACH;
	}
	if (ago >= S) {
		w->last_ns = now_ns;
		w->last_calls = calls;
	}
	if (now_ns - w->since_ns >= MW_WATCH_WINDOW_NS)
		w->sheds = 0;
	if (now_ns - w->since_ns < MW_WATCH_WINDOW_NS || (double)spent <= b->share * (double)(now_ns - w->began_ns))
		return MW_WATCH_NOTHING;
	close_it(w, false);
	return MW_WATCH_DETACH;
}

enum mw_watch_do mw_watch_step(struct mw_watch *w, const struct mw_watch_budget *b, __u64 now_ns, __u64 calls,
			       __u64 own_ns)
{
	if (w->phase == MW_WATCH_OPEN)
		return look(w, b, now_ns, calls, own_ns);
	if (w->phase != MW_WATCH_PAUSED || now_ns < w->due_ns)
		return MW_WATCH_NOTHING;
	w->phase = MW_WATCH_OPENING;
	return MW_WATCH_ATTACH;
}

void mw_watch_opened(struct mw_watch *w, __u64 since_ns, __u64 calls, __u64 own_ns)
{
	w->phase = MW_WATCH_OPEN;
	w->shed = false;
	w->began_ns = w->began_ns ? w->began_ns : since_ns;
	w->since_ns = w->last_ns = since_ns;
	w->calls = w->last_calls = calls;
	w->own_ns = own_ns;
	w->ended_ns = 0;
}

void mw_watch_refused(struct mw_watch *w, __u64 due_ns)
{
	w->phase = MW_WATCH_PAUSED;
	w->due_ns = due_ns;
}

/* When the average is within the share again, and not at once. */
static __u64 due_after(const struct mw_watch *w, const struct mw_watch_budget *b, __u64 now_ns)
{
	__u64 due = now_ns + PAUSE_NS, enough;

	if (w->shed)
		return now_ns + (SHED_NS << (w->sheds < SHED_DOUBLED ? w->sheds - 1 : SHED_DOUBLED - 1));
	enough = w->began_ns + (__u64)((double)w->spent_ns / b->share);
	return enough > due ? enough : due;
}

void mw_watch_closed(struct mw_watch *w, const struct mw_watch_budget *b, __u64 now_ns, __u64 calls, __u64 own_ns)
{
	w->watched_ns += now_ns - w->since_ns;
	w->spent_ns += cost_of(b, calls - w->calls, own_ns - w->own_ns);
	w->ended_ns = now_ns;
	w->phase = MW_WATCH_PAUSED;
	w->due_ns = due_after(w, b, now_ns);
}

void mw_watch_burst(struct mw_watch *w, const struct mw_watch_budget *b, __u64 since_ns, __u64 now_ns, __u64 calls)
{
	mw_watch_opened(w, since_ns, 0, 0);
	w->rate = (__u64)((double)calls * (double)S / (double)(now_ns > since_ns ? now_ns - since_ns : 1));
	close_it(w, true);
	mw_watch_closed(w, b, now_ns, calls, 0);
}

__u64 mw_watch_watched(const struct mw_watch *w, __u64 now_ns)
{
	return w->watched_ns + (w->began_ns && !w->ended_ns && now_ns > w->since_ns ? now_ns - w->since_ns : 0);
}

__u64 mw_watch_of(const struct mw_watch *w, __u64 now_ns)
{
	return w->began_ns && now_ns > w->began_ns ? now_ns - w->began_ns : 0;
}
