/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The store of incidents, read: the newest first. What lists show of the newest is kept in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/incident_file.h"
#include "report/incident_impl.h"
#include "util/cleanup.h"
#include "util/kept.h"

/* What can never become readable is forgotten, so that it is counted once and not tried with every list. */
static void forget(struct mw_incidents *s, const char *id, int error)
{
	struct mw_incident_entry *e;

	if (error != -ENOENT) /* an administrator may remove files */
		mw_incidents_count_failure(s);
	if (error != -ENOENT && error != -EINVAL && error != -E2BIG && error != -ELOOP)
		return;
	pthread_mutex_lock(&s->lock);
	e = mw_incident_index_find(&s->index, id);
	if (e && !e->text)
		mw_incident_index_remove(&s->index, e);
	pthread_mutex_unlock(&s->lock);
}

struct mw_kept *mw_incident_brief(struct json_object *doc)
{
	static const char *const keys[] = {"id",	  "time",	 "reason",     "why",	      "name",
					   "class",	  "killed_by",	 "signal",     "exit_status", "saved_bytes",
					   "limit_bytes", "usage_bytes", "lifetime_s", "cause"};
	struct json_object *o = json_object_new_object(), *value;
	struct mw_kept *k = NULL;
	const char *text;
	size_t size = 0;

	for (size_t i = 0; o && i < ARRAY_SIZE(keys); i++)
		if (json_object_object_get_ex(doc, keys[i], &value))
			json_object_object_add(o, keys[i], json_object_get(value));
	text = o ? json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &size) : NULL;
	if (text)
		k = mw_kept_new(text, size);
	json_object_put(o);
	return k;
}

/* The document of an id: from memory while it waits, else from its file. */
static int load(struct mw_incidents *s, const char *id, struct json_object **ret_doc)
{
	_cleanup_free_ char *text = NULL;
	struct mw_incident_entry *e;
	int r;

	pthread_mutex_lock(&s->lock);
	e = mw_incident_index_find(&s->index, id);
	if (e && e->text)
		text = strdup(e->text);
	pthread_mutex_unlock(&s->lock);
	r = text ? mw_incident_parse(id, text, ret_doc) : mw_incident_file_read(s->dir_fd, id, ret_doc);
	if (r)
		forget(s, id, r);
	return r;
}

/* ret_brief: what is kept of it, or NULL; itself NULL: not asked for. */
static bool step_back(struct mw_incidents *s, const char *worker, char cursor[MW_INCIDENT_ID_SIZE],
		      struct mw_kept **ret_brief)
{
	struct mw_incident_entry *e;

	pthread_mutex_lock(&s->lock);
	e = mw_incident_index_before(&s->index, cursor, worker);
	if (e)
		memcpy(cursor, e->id, MW_INCIDENT_ID_SIZE);
	if (ret_brief)
		*ret_brief = e ? mw_kept_hold(e->brief) : NULL;
	pthread_mutex_unlock(&s->lock);
	return e != NULL;
}

struct json_object *mw_incidents_before(struct mw_incidents *s, const char *worker, char cursor[MW_INCIDENT_ID_SIZE])
{
	struct json_object *doc;

	while (step_back(s, worker, cursor, NULL)) {
		if (load(s, cursor, &doc))
			continue;
		if (!worker || !strcmp(json_object_get_string(json_object_object_get(doc, "name")), worker))
			return doc;
		json_object_put(doc);
	}
	return NULL;
}

struct mw_kept *mw_incidents_brief_before(struct mw_incidents *s, char cursor[MW_INCIDENT_ID_SIZE])
{
	struct json_object *doc;
	struct mw_kept *brief;

	while (step_back(s, NULL, cursor, &brief)) {
		if (!brief && load(s, cursor, &doc))
			continue;
		if (brief)
			return brief;
		brief = mw_incident_brief(doc);
		json_object_put(doc);
		pthread_mutex_lock(&s->lock);
		mw_incident_index_keep(&s->index, cursor, mw_kept_hold(brief));
		pthread_mutex_unlock(&s->lock);
		return brief;
	}
	return NULL;
}

struct json_object *mw_incidents_list(struct mw_incidents *s, const char *worker, size_t n)
{
	struct json_object *list = json_object_new_array(), *doc;
	char cursor[MW_INCIDENT_ID_SIZE] = MW_INCIDENTS_NEWEST;

	while (list && (!n || json_object_array_length(list) < n) && (doc = mw_incidents_before(s, worker, cursor)))
		if (json_object_array_add(list, doc))
			json_object_put(doc);
	return list;
}

struct json_object *mw_incidents_get(struct mw_incidents *s, const char *id)
{
	struct json_object *doc;

	if (!mw_incident_id_valid(id) || load(s, id, &doc))
		return NULL;
	return doc;
}
