/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "util/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mw_kept *mw_kept_new(const char *text, size_t size)
{
	struct mw_kept *k = malloc(sizeof(*k) + size + 1);

	if (!k)
		return NULL;
	k->holders = 1;
	k->size = size;
	memcpy(k->text, text, size);
	k->text[size] = '\0';
	return k;
}

struct mw_kept *mw_kept_hold(struct mw_kept *k)
{
	if (k)
		__atomic_add_fetch(&k->holders, 1, __ATOMIC_RELAXED);
	return k;
}

void mw_kept_drop(struct mw_kept *k)
{
	if (k && __atomic_sub_fetch(&k->holders, 1, __ATOMIC_ACQ_REL) == 0)
		free(k);
}

struct mw_part {
	struct mw_kept *of;
	size_t from, size;
};

struct mw_parts *mw_parts_new(void)
{
	return calloc(1, sizeof(struct mw_parts));
}

int mw_parts_add(struct mw_parts *p, struct mw_kept *of, size_t from, size_t size)
{
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 4;
		struct mw_part *at = reallocarray(p->at, room, sizeof(*at));

		if (!at)
			return -ENOMEM;
		p->at = at;
		p->room = room;
	}
	p->at[p->n++] = (struct mw_part){mw_kept_hold(of), from, size};
	p->size += size;
	return 0;
}

int mw_parts_append(struct mw_parts *p, const struct mw_parts *more)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < more->n; i++)
		r = mw_parts_add(p, more->at[i].of, more->at[i].from, more->at[i].size);
	return r;
}

void mw_parts_skip(struct mw_parts *p, size_t size)
{
	struct mw_part *first = p->n ? &p->at[0] : NULL;

	if (!first)
		return;
	size = size < first->size ? size : first->size;
	first->from += size;
	first->size -= size;
	p->size -= size;
}

void mw_parts_cut(struct mw_parts *p, size_t size)
{
	struct mw_part *last = p->n ? &p->at[p->n - 1] : NULL;

	if (!last)
		return;
	size = size < last->size ? size : last->size;
	last->size -= size;
	p->size -= size;
}

/* Of the part that pos is in, which is mostly the one the last reading ended in. */
size_t mw_parts_read(struct mw_parts *p, __u64 pos, char *buf, size_t max)
{
	size_t done = 0;

	if (pos < p->next_at)
		p->next = p->next_at = 0;
	while (p->next < p->n && done < max) {
		const struct mw_part *part = &p->at[p->next];
		__u64 in = pos + done - p->next_at;
		size_t n;

		if (in >= part->size) {
			p->next_at += part->size;
			p->next++;
			continue;
		}
		n = part->size - in < max - done ? part->size - in : max - done;
		memcpy(buf + done, part->of->text + part->from + in, n);
		done += n;
	}
	return done;
}

void mw_parts_free(struct mw_parts *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		mw_kept_drop(p->at[i].of);
	if (p->users)
		--*p->users;
	free(p->at);
	free(p);
}
