/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The ids of a store, in order of time, so that the newest 20 of thousands are found without reading the others. Not
 * locked: the store is. */
#ifndef MW_INCIDENT_INDEX_H
#define MW_INCIDENT_INDEX_H

#include <linux/types.h>
#include <stdbool.h>

#include "report/incident.h"
#include "util/kept.h"

struct mw_incident_entry {
	char id[MW_INCIDENT_ID_SIZE];
	char *text; /* the document while it waits to be written; NULL: it is a file */
	struct mw_kept *brief; /* what lists show of it; NULL: not kept */
};

#define MW_INCIDENT_BRIEFS 256 /* kept at most, of the newest: some 700 bytes each */

struct mw_incident_index {
	struct mw_incident_entry *entries; /* sorted by id */
	__u32 count, capacity, waiting, briefs; /* waiting: those with a text; briefs: those with one */
};

/* Digits, T, digits, Z, -, then letters, digits and ._- : nothing that leaves the directory or hides in it. */
bool mw_incident_id_valid(const char *id);
/* May id be of this worker? A suffix that makes it unique looks like a part of a name, so the document decides. */
bool mw_incident_id_of(const char *id, const char *worker);

void mw_incident_index_free(struct mw_incident_index *x);
/* A place for one more, so that adding cannot fail after the file is written. -ENOMEM. */
int mw_incident_index_reserve(struct mw_incident_index *x);
/* A place is there; text is taken over. An id that is there stays as it is. */
void mw_incident_index_add(struct mw_incident_index *x, const char *id, char *text);
void mw_incident_index_remove(struct mw_incident_index *x, struct mw_incident_entry *e);
struct mw_incident_entry *mw_incident_index_find(const struct mw_incident_index *x, const char *id);
/* To be kept with its entry, if that is there and there are no newer ones enough; taken over in any case. */
void mw_incident_index_keep(struct mw_incident_index *x, const char *id, struct mw_kept *brief);
/* The newest one before cursor (and maybe of worker; NULL: any). NULL: no more. */
struct mw_incident_entry *mw_incident_index_before(const struct mw_incident_index *x, const char *cursor,
						   const char *worker);
/* The oldest that waits, or that is a file. NULL: none. */
struct mw_incident_entry *mw_incident_index_oldest(const struct mw_incident_index *x, bool waiting);

#endif
