/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Stacks added up: equal ones are one. */
#include <stdlib.h>
#include <string.h>

#include "daemon/stacks.h"
#include "util/cleanup.h"

static void free_sum(struct mw_stack_sum *s)
{
	json_object_put(s->named);
	*s = (struct mw_stack_sum){0};
}

static void free_worker(struct mw_stack_worker *w)
{
	for (size_t i = 0; i < w->n; i++)
		free_sum(&w->at[i]);
	free(w);
}

void mw_stacks_free(struct mw_stacks *s)
{
	while (s && s->workers)
		mw_stacks_forget(s, s->workers);
	free(s);
}

struct mw_stack_worker *mw_stacks_find(struct mw_stacks *s, __u64 cgroup_id, bool make)
{
	struct mw_stack_worker *w;

	for (w = s->workers; w; w = w->next) {
		if (w->cgroup_id == cgroup_id)
			return w;
	}
	w = make ? calloc(1, sizeof(*w)) : NULL;
	if (!w)
		return NULL;
	w->cgroup_id = cgroup_id;
	w->next = s->workers;
	s->workers = w;
	return w;
}

void mw_stacks_forget(struct mw_stacks *s, struct mw_stack_worker *w)
{
	struct mw_stack_worker **at = &s->workers;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	free_worker(w);
}

static bool same_process(const struct mw_stack_sum *a, const struct mw_stack_sum *b)
{
	return a->pid == b->pid && a->started_ns == b->started_ns;
}

static bool same_code(const struct mw_stack_sum *a, const struct mw_stack_sum *b)
{
	if (!same_process(a, b) || a->unwound.n != b->unwound.n)
		return false;
	for (size_t i = 0; i < a->unwound.n; i++) {
		if (a->unwound.at[i].pc != b->unwound.at[i].pc)
			return false;
	}
	return true;
}

static void add_to(struct mw_stack_sum *to, const struct mw_stack_sum *from)
{
	to->pages += from->pages;
	to->copies += from->copies;
}

static void remove_at(struct mw_stack_worker *w, size_t i)
{
	free_sum(&w->at[i]);
	w->n--;
	memmove(&w->at[i], &w->at[i + 1], (w->n - i) * sizeof(w->at[0]));
}

static size_t lightest(const struct mw_stack_worker *w)
{
	size_t least = 0;

	for (size_t i = 1; i < w->n; i++) {
		if (w->at[i].pages < w->at[least].pages)
			least = i;
	}
	return least;
}

void mw_stacks_add(struct mw_stack_worker *w, struct mw_stack_sum *sum)
{
	w->pages += sum->pages;
	w->copies += sum->copies;
	for (size_t i = 0; i < w->n; i++) {
		if (same_code(&w->at[i], sum)) {
			add_to(&w->at[i], sum);
			free_sum(sum);
			return;
		}
	}
	if (w->n == MW_STACKS_KEPT)
		remove_at(w, lightest(w));
	w->at[w->n++] = *sum;
	sum->named = NULL;
}

static const char *text_of(struct json_object *frame, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(frame, key, &value) ? json_object_get_string(value) : "";
}

static bool same(struct json_object *a, struct json_object *b, const char *key)
{
	return !strcmp(text_of(a, key), text_of(b, key));
}

/* line: does it matter which one of the function? */
static bool same_frame(struct json_object *a, struct json_object *b, bool line)
{
	if (!same(a, b, "function") || !same(a, b, "module"))
		return false;
	if (!*text_of(a, "function"))
		return same(a, b, "offset");
	return !line || (same(a, b, "file") && same(a, b, "line"));
}

/* What allocates, clears and copies for others. */
static bool is_library(struct json_object *frame)
{
	static const char *const names[] = {"libc.",	    "libc-",	   "libstdc++.",  "ld-",
					    "libjemalloc.", "libtcmalloc", "libmimalloc."};
	const char *module = text_of(frame, "module"), *slash = strrchr(module, '/');

	module = slash ? slash + 1 : module;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strncmp(module, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

/* The first frame of whom it works for; all are the library's: the innermost. */
static size_t first_own(struct json_object *frames)
{
	size_t n = json_object_array_length(frames), at = 0;

	while (at < n && is_library(json_object_array_get_idx(frames, at)))
		at++;
	return at < n ? at : 0;
}

/*
 * The same calls led to the same function. Which of its lines was first to touch a page, or which instruction of the
 * library it called for that, is chance: one object's memory is new to malloc here and to memset there.
 */
static bool same_names(struct json_object *a, struct json_object *b)
{
	size_t i = first_own(a), j = first_own(b), n = json_object_array_length(a);

	if (!n || n - i != json_object_array_length(b) - j)
		return false;
	for (size_t at = i; at < n; at++, j++) {
		if (!same_frame(json_object_array_get_idx(a, at), json_object_array_get_idx(b, j), at > i))
			return false;
	}
	return true;
}

void mw_stacks_merge(struct mw_stack_worker *w)
{
	for (size_t i = 0; i < w->n; i++) {
		for (size_t j = w->n; j-- > i + 1;) {
			if (!w->at[i].named || !w->at[j].named || !same_process(&w->at[i], &w->at[j]) ||
			    !same_names(w->at[i].named, w->at[j].named))
				continue;
			add_to(&w->at[i], &w->at[j]);
			remove_at(w, j);
		}
	}
}

static int by_pages(const void *a, const void *b)
{
	const struct mw_stack_sum *x = a, *y = b;

	return x->pages < y->pages ? 1 : x->pages > y->pages ? -1 : 0;
}

void mw_stacks_sort(struct mw_stack_worker *w)
{
	qsort(w->at, w->n, sizeof(w->at[0]), by_pages);
}
