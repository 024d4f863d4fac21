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
	__u64 time_ns, last_ns, base_ns, last, base;

	*ret_span_ns = 0;
	if (!mw_track_usage(w->track, 0, &time_ns, &last))
		return 0;
	last_ns = base_ns = time_ns;
	base = last;
	if (w->started_ns > from_ns && w->started_ns < last_ns) {
		base_ns = w->started_ns;
		base = 0;
	} else {
		for (__u32 i = 1; base_ns > from_ns && mw_track_usage(w->track, i, &time_ns, &base); i++)
			base_ns = time_ns;
	}
	*ret_span_ns = last_ns - base_ns;
	return last > base ? last - base : 0;
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
