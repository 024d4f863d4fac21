/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/culprit.h"

#include <string.h>

enum mw_limit_of mw_limit_at(const char *cgroup, size_t length, const char *root)
{
	size_t root_length = strlen(root) + 1; /* with its leading slash */
	bool ours = *root && strlen(cgroup) > root_length && cgroup[root_length] == '/' &&
		    memcmp(cgroup + 1, root, root_length - 1) == 0;

	if (length >= strlen(cgroup))
		return MW_LIMIT_WORKER;
	if (ours && length == root_length)
		return MW_LIMIT_TREE;
	if (ours && length > root_length && !memchr(cgroup + root_length + 1, '/', length - root_length - 1))
		return MW_LIMIT_CLASS;
	return MW_LIMIT_ANCESTOR;
}

enum mw_limit_of mw_limit_unnamed(enum mw_pause_kind kind)
{
	bool host = kind == MW_PAUSE_GLOBAL_RECLAIM || kind == MW_PAUSE_NODE_RECLAIM || kind == MW_PAUSE_OOM;

	return host ? MW_LIMIT_HOST : MW_LIMIT_NONE;
}

__u64 mw_grown(const struct mw_worker *w, __u64 now_ns, __u64 *ret_span_ns)
{
	__u64 from_ns = now_ns > MW_CULPRIT_WINDOW_NS ? now_ns - MW_CULPRIT_WINDOW_NS : 0;
	struct mw_point base, last;

	*ret_span_ns = 0;
	if (!w->curve_count)
		return 0;
	last = mw_worker_curve_at(w, w->curve_count - 1);
	if (w->started_ns > from_ns && w->started_ns < last.time_ns) {
		base = (struct mw_point){.time_ns = w->started_ns};
	} else {
		base = mw_worker_curve_at(w, 0);
		for (__u32 i = 1; i < w->curve_count && mw_worker_curve_at(w, i).time_ns <= from_ns; i++)
			base = mw_worker_curve_at(w, i);
	}
	*ret_span_ns = last.time_ns - base.time_ns;
	return last.bytes > base.bytes ? last.bytes - base.bytes : 0;
}

static bool below(const struct mw_worker *w, const struct mw_cause *c)
{
	if (c->limit == MW_LIMIT_HOST)
		return true;
	return w->cgroup && strncmp(w->cgroup, c->path, c->length) == 0 &&
	       (w->cgroup[c->length] == '/' || c->length <= 1);
}

void mw_culprit_find(const struct mw_workers *ws, __u64 now_ns, struct mw_cause *cause)
{
	const struct mw_worker *w;

	if (cause->limit == MW_LIMIT_NONE || cause->limit == MW_LIMIT_WORKER)
		return;
	for (w = ws->by_id; w; w = w->by_id.next) {
		__u64 span_ns, grown;

		if (!below(w, cause))
			continue;
		grown = mw_grown(w, now_ns, &span_ns);
		if (grown < MW_CULPRIT_LEAST || grown <= cause->grown)
			continue;
		cause->culprit = w;
		cause->grown = grown;
		cause->span_ns = span_ns;
	}
}
