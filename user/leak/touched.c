/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/touched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/amount.h"
#include "util/cleanup.h"

#define GENERATIONS ARRAY_SIZE(((struct mw_touched_list *)0)->pages)

/* "memcg  12 /a/b": is it the cgroup, or one below it? */
static bool is_ours(const char *line, const char *cgroup, __u64 *ret_memcg)
{
	char *end;
	size_t n = strlen(cgroup);

	*ret_memcg = strtoull(line + strlen("memcg"), &end, 10);
	end += strspn(end, " ");
	return strncmp(end, cgroup, n) == 0 && (!end[n] || end[n] == '/');
}

/* "  7   18296   37456    0 ": generation, its age, anonymous pages, file pages. Oldest first. */
static bool add_generation(struct mw_touched_list *l, const char *line)
{
	unsigned long long seq, pages;

	if (sscanf(line, "%llu %*u %llu", &seq, &pages) != 2 || (l->n && seq != l->youngest + 1) || l->n >= GENERATIONS)
		return false;
	memmove(&l->pages[1], &l->pages[0], l->n * sizeof(l->pages[0]));
	l->pages[0] = pages;
	l->youngest = seq;
	l->n++;
	return true;
}

static struct mw_touched_list *add_list(struct mw_touched_lists *l, __u64 memcg, const char *line)
{
	struct mw_touched_list *list = &l->at[l->n];

	if (l->n == MW_TOUCHED_LISTS) {
		l->too_many = true;
		return NULL;
	}
	*list = (struct mw_touched_list){.memcg = memcg, .node = strtoull(line + strlen("node"), NULL, 10)};
	l->n++;
	return list;
}

int mw_touched_parse(FILE *f, const char *cgroup, struct mw_touched_lists *ret_lists)
{
	struct mw_touched_lists l = {0};
	struct mw_touched_list *list = NULL;
	_cleanup_free_ char *line = NULL;
	bool ours = false;
	size_t room = 0;
	__u64 memcg = 0;

	for (errno = 0; getline(&line, &room, f) > 0;) {
		const char *text = line + strspn(line, " ");

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(text, "memcg", strlen("memcg")) == 0) {
			bool was = ours;

			ours = is_ours(text, cgroup, &memcg);
			list = NULL;
			if (was && !ours)
				break; /* those below follow at once */
		} else if (!ours) {
			continue;
		} else if (strncmp(text, "node", strlen("node")) == 0) {
			list = add_list(&l, memcg, text);
		} else if (list && !add_generation(list, text)) {
			return -EBADMSG;
		}
	}
	if (errno)
		return -errno;
	if (!l.n)
		return -ENOENT;
	*ret_lists = l;
	return 0;
}

static __u64 sum(const struct mw_touched_list *l, __u64 before)
{
	__u64 pages = 0;

	for (__u64 i = 0; i < l->n && i < GENERATIONS; i++)
		if (l->youngest - i < before)
			pages += l->pages[i];
	return pages;
}

/* Where the kernel, short of memory, has aged on until old and new lie in one generation, nothing is known. */
static bool has_word(const struct mw_touched *t, const struct mw_touched_lists *l, __u64 *ret_pages)
{
	__u64 pages = 0;

	if (!t->since_ns || l->n != t->n_marks)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct mw_touched_list *list = &l->at[i];
		const struct mw_touched_mark *mark = &t->marks[i];

		if (list->memcg != mark->memcg || list->node != mark->node || !list->n ||
		    list->youngest - list->n + 1 >= mark->from)
			return false;
		pages += sum(list, mark->from);
	}
	*ret_pages = pages;
	return true;
}

static void begin(struct mw_touched *t, const struct mw_touched_lists *l, __u64 page_bytes, __u64 swapped, __u64 now_ns)
{
	t->since_ns = now_ns;
	t->words = 0;
	t->begun++;
	t->held_bytes = swapped;
	t->n_marks = l->n;
	for (size_t i = 0; i < l->n; i++) {
		const struct mw_touched_list *list = &l->at[i];

		t->marks[i] = (struct mw_touched_mark){list->memcg, list->node, list->youngest};
		t->held_bytes += sum(list, list->youngest + 1) * page_bytes;
	}
}

bool mw_touched_due(const struct mw_touched *t, __u64 now_ns)
{
	return !t->since_ns || mw_less(now_ns, t->since_ns) >= (t->words ? MW_TOUCHED_AFTER_NS : MW_TOUCHED_SOON_NS);
}

void mw_touched_take(struct mw_touched *t, const struct mw_touched_lists *l, __u64 page_bytes, __u64 swapped,
		     __u64 now_ns)
{
	__u64 pages, span = mw_less(now_ns, t->since_ns);

	if (l->too_many) {
		*t = (struct mw_touched){0};
		return;
	}
	t->known = has_word(t, l, &pages);
	if (t->known) {
		t->words++;
		t->span_ns = span;
		t->of_bytes = t->held_bytes;
		t->swapped_bytes = swapped < t->held_bytes ? swapped : t->held_bytes;
		t->untouched_bytes = pages * page_bytes + t->swapped_bytes;
		if (t->untouched_bytes > t->held_bytes)
			t->untouched_bytes = t->held_bytes;
	}
	if (!t->known || span >= MW_TOUCHED_AFTER_NS)
		begin(t, l, page_bytes, swapped, now_ns);
}
