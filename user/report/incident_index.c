/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/incident_index.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAMP_LEN 16 /* "20261121T200501Z" */

bool mw_incident_id_valid(const char *id)
{
	static const char shape[] = "00000000T000000Z-";
	size_t i = 0;

	for (; shape[i]; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)id[i]) : id[i] != shape[i])
			return false;
	if (!id[i])
		return false;
	for (; id[i]; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("._-", id[i]))
			return false;
	return i < MW_INCIDENT_ID_SIZE;
}

bool mw_incident_id_of(const char *id, const char *worker)
{
	size_t len = strlen(worker);
	const char *name = id + STAMP_LEN + 1;

	return !strncmp(name, worker, len) && (!name[len] || name[len] == '-');
}

void mw_incident_index_free(struct mw_incident_index *x)
{
	for (__u32 i = 0; i < x->count; i++) {
		free(x->entries[i].text);
		mw_kept_drop(x->entries[i].brief);
	}
	free(x->entries);
	*x = (struct mw_incident_index){0};
}

int mw_incident_index_reserve(struct mw_incident_index *x)
{
	__u32 capacity = x->capacity ? 2 * x->capacity : 32;
	struct mw_incident_entry *entries;

	if (x->count < x->capacity)
		return 0;
	entries = reallocarray(x->entries, capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	x->entries = entries;
	x->capacity = capacity;
	return 0;
}

/* Number of ids below this one. */
static __u32 lower_bound(const struct mw_incident_index *x, const char *id)
{
	__u32 from = 0, to = x->count;

	while (from < to) {
		__u32 mid = from + (to - from) / 2;

		if (strcmp(x->entries[mid].id, id) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct mw_incident_entry *mw_incident_index_find(const struct mw_incident_index *x, const char *id)
{
	__u32 at = lower_bound(x, id);

	return at < x->count && !strcmp(x->entries[at].id, id) ? &x->entries[at] : NULL;
}

void mw_incident_index_add(struct mw_incident_index *x, const char *id, char *text)
{
	__u32 at = lower_bound(x, id);
	struct mw_incident_entry *e = &x->entries[at];

	if (at < x->count && !strcmp(e->id, id)) {
		free(text);
		return;
	}
	memmove(e + 1, e, (x->count - at) * sizeof(*e));
	snprintf(e->id, sizeof(e->id), "%s", id);
	e->text = text;
	e->brief = NULL;
	x->count++;
	x->waiting += text != NULL;
}

void mw_incident_index_remove(struct mw_incident_index *x, struct mw_incident_entry *e)
{
	x->waiting -= e->text != NULL;
	x->briefs -= e->brief != NULL;
	free(e->text);
	mw_kept_drop(e->brief);
	x->count--;
	memmove(e, e + 1, (size_t)(&x->entries[x->count] - e) * sizeof(*e));
}

void mw_incident_index_keep(struct mw_incident_index *x, const char *id, struct mw_kept *brief)
{
	struct mw_incident_entry *e = mw_incident_index_find(x, id), *oldest = x->entries;

	while (x->briefs >= MW_INCIDENT_BRIEFS && !oldest->brief)
		oldest++;
	if (!e || !brief || e->brief || (x->briefs >= MW_INCIDENT_BRIEFS && e < oldest))
		return mw_kept_drop(brief);
	if (x->briefs >= MW_INCIDENT_BRIEFS) {
		mw_kept_drop(oldest->brief);
		oldest->brief = NULL;
		x->briefs--;
	}
	e->brief = brief;
	x->briefs++;
}

struct mw_incident_entry *mw_incident_index_before(const struct mw_incident_index *x, const char *cursor,
						   const char *worker)
{
	for (__u32 at = lower_bound(x, cursor); at > 0; at--)
		if (!worker || mw_incident_id_of(x->entries[at - 1].id, worker))
			return &x->entries[at - 1];
	return NULL;
}

struct mw_incident_entry *mw_incident_index_oldest(const struct mw_incident_index *x, bool waiting)
{
	for (__u32 i = 0; i < x->count; i++)
		if ((x->entries[i].text != NULL) == waiting)
			return &x->entries[i];
	return NULL;
}
