/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The store of incidents: opened, and written to. Two locks: `writing` is held over file I/O, so there is
 * one writer; `lock` guards the index and is held over nothing that blocks, so that listing never waits
 * for a disk to finish a write.
 */
#include "report/incident.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/incident_file.h"
#include "report/incident_impl.h"
#include "report/json_out.h"
#include "util/cleanup.h"

#define INDEX_CAP  16384 /* names of a directory that are looked at: 1.7 MB */
#define SUFFIX_MAX 100000

void mw_incidents_count_failure(struct mw_incidents *s)
{
	__atomic_add_fetch(&s->failures, 1, __ATOMIC_RELAXED);
}

__u64 mw_incidents_failures(const struct mw_incidents *s)
{
	return __atomic_load_n(&s->failures, __ATOMIC_RELAXED);
}

/* "ID.json" of a directory entry into the index. */
static int add_name(struct mw_incidents *s, const struct dirent *d)
{
	size_t len = strlen(d->d_name);
	char id[sizeof(d->d_name)];
	int r;

	if (d->d_name[0] == '.') /* . and .. and what a crash left half written */
		return 0;
	if (len > 5)
		snprintf(id, sizeof(id), "%.*s", (int)(len - 5), d->d_name);
	if (len <= 5 || strcmp(d->d_name + len - 5, ".json") != 0 || !mw_incident_id_valid(id) ||
	    (d->d_type != DT_REG && d->d_type != DT_UNKNOWN) || s->index.count >= INDEX_CAP + s->max) {
		mw_incidents_count_failure(s);
		return 0;
	}
	r = mw_incident_index_reserve(&s->index);
	if (!r)
		mw_incident_index_add(&s->index, id, NULL);
	return r;
}

static int read_names(struct mw_incidents *s)
{
	_cleanup_close_ int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *d;
	int r = 0;

	if (!dir)
		return -errno;
	(void)TAKE_FD(fd); /* dir has it */
	while (!r && (d = readdir(dir)))
		r = add_name(s, d);
	return r;
}

static void store_free(struct mw_incidents *s)
{
	mw_close(&s->dir_fd);
	mw_incident_index_free(&s->index);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->writing);
	free(s);
}

static void store_freep(struct mw_incidents **s)
{
	if (*s)
		store_free(*s);
}

int mw_incidents_open(const char *state_dir, __u32 max_incidents, struct mw_incidents **ret_store, struct mw_error *err)
{
	_cleanup_(store_freep) struct mw_incidents *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return mw_fail(err, -ENOMEM, "no memory for the incident store");
	s->max = max_incidents ? max_incidents : 1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->writing, NULL);
	s->dir_fd = mw_incident_dir_open(state_dir, err);
	if (s->dir_fd < 0)
		return s->dir_fd;
	r = read_names(s);
	if (r)
		return mw_fail(err, r, "%s/incidents: %s", state_dir, strerror(-r));
	*ret_store = TAKE_PTR(s);
	return 0;
}

void mw_incidents_close(struct mw_incidents *s)
{
	if (!s)
		return;
	mw_incidents_flush(s);
	store_free(s);
}

/* The oldest files go until max are left. */
static void trim(struct mw_incidents *s)
{
	char id[MW_INCIDENT_ID_SIZE];

	for (;;) {
		struct mw_incident_entry *e = NULL;

		pthread_mutex_lock(&s->lock);
		if (s->index.count - s->index.waiting > s->max)
			e = mw_incident_index_oldest(&s->index, false);
		if (e) {
			memcpy(id, e->id, sizeof(id));
			mw_incident_index_remove(&s->index, e);
		}
		pthread_mutex_unlock(&s->lock);
		if (!e)
			return;
		if (mw_incident_file_remove(s->dir_fd, id))
			mw_incidents_count_failure(s);
	}
}

/* One that waits becomes a file. Only the writer takes a text away, so it stays valid without the lock. */
static int flush_one(struct mw_incidents *s, bool *ret_more)
{
	char id[MW_INCIDENT_ID_SIZE] = "";
	struct mw_incident_entry *e;
	const char *text = NULL;
	int r;

	pthread_mutex_lock(&s->lock);
	e = mw_incident_index_oldest(&s->index, true);
	if (e) {
		memcpy(id, e->id, sizeof(id));
		text = e->text;
	}
	pthread_mutex_unlock(&s->lock);
	*ret_more = text != NULL;
	if (!text)
		return 0;
	r = mw_incident_file_write(s->dir_fd, id, text);
	if (r)
		return r;
	pthread_mutex_lock(&s->lock);
	e = mw_incident_index_find(&s->index, id);
	free(TAKE_PTR(e->text));
	s->index.waiting--;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static int flush_all(struct mw_incidents *s)
{
	bool more = true;
	int r = 0;

	while (!r && more)
		r = flush_one(s, &more);
	trim(s);
	return r;
}

int mw_incidents_flush(struct mw_incidents *s)
{
	int r;

	pthread_mutex_lock(&s->writing);
	r = flush_all(s);
	pthread_mutex_unlock(&s->writing);
	return r;
}

__u32 mw_incidents_waiting(struct mw_incidents *s)
{
	__u32 n;

	pthread_mutex_lock(&s->lock);
	n = s->index.waiting;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static bool known(struct mw_incidents *s, const char *id)
{
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = mw_incident_index_find(&s->index, id);
	pthread_mutex_unlock(&s->lock);
	return yes || mw_incident_file_exists(s->dir_fd, id);
}

/* The document's own id, with -2, -3, ... when that is taken. Called by the writer alone. */
static int unique_id(struct mw_incidents *s, struct json_object *doc, char ret_id[MW_INCIDENT_ID_SIZE])
{
	const char *base = json_object_get_string(json_object_object_get(doc, "id"));
	char id[MW_INCIDENT_ID_SIZE];

	if (!base || !mw_incident_id_valid(base) || strlen(base) + sizeof("-100000") > sizeof(id))
		return -EINVAL;
	snprintf(id, sizeof(id), "%s", base);
	for (unsigned int n = 2; known(s, id); n++) {
		if (n > SUFFIX_MAX)
			return -EEXIST;
		snprintf(id, sizeof(id), "%.*s-%u", (int)(sizeof(id) - sizeof("-100000")), base, n);
	}
	memcpy(ret_id, id, sizeof(id));
	return 0;
}

/* The document under its final id, as text, and in brief. The caller's stays as it is: another thread may read it. */
static int compose(struct json_object *doc, const char *id, char **ret_text, struct mw_kept **ret_brief)
{
	struct mw_json_out o = mw_json_begin(mw_json_copy(doc));
	char *text;

	mw_json_text(&o, "id", id);
	if (!o.obj)
		return -ENOMEM;
	if (asprintf(&text, "%s\n", json_object_to_json_string_ext(o.obj, JSON_C_TO_STRING_PLAIN)) < 0)
		text = NULL;
	if (text && strlen(text) > MW_INCIDENT_MAX_BYTES) {
		free(text);
		json_object_put(o.obj);
		return -E2BIG;
	}
	*ret_brief = text ? mw_incident_brief(o.obj) : NULL;
	json_object_put(o.obj);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

/* Into the index: as a file, or to wait. The longest waiting one makes room. */
static void enlist(struct mw_incidents *s, const char *id, char *waiting_text, struct mw_kept *brief)
{
	pthread_mutex_lock(&s->lock);
	if (waiting_text && s->index.waiting >= MW_INCIDENTS_WAITING) {
		mw_incident_index_remove(&s->index, mw_incident_index_oldest(&s->index, true));
		mw_incidents_count_failure(s);
	}
	mw_incident_index_add(&s->index, id, waiting_text);
	mw_incident_index_keep(&s->index, id, brief);
	pthread_mutex_unlock(&s->lock);
}

static int reserve(struct mw_incidents *s)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = mw_incident_index_reserve(&s->index);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int write_one(struct mw_incidents *s, struct json_object *doc, char ret_id[MW_INCIDENT_ID_SIZE])
{
	char id[MW_INCIDENT_ID_SIZE];
	_cleanup_free_ char *text = NULL;
	struct mw_kept *brief = NULL;
	int r;

	r = unique_id(s, doc, id);
	if (!r)
		r = reserve(s);
	if (!r)
		r = compose(doc, id, &text, &brief);
	if (r)
		return r;
	r = flush_all(s); /* what waits is older and goes first */
	if (!r)
		r = mw_incident_file_write(s->dir_fd, id, text);
	enlist(s, id, r ? TAKE_PTR(text) : NULL, brief);
	trim(s);
	if (!r)
		memcpy(ret_id, id, sizeof(id));
	return r;
}

int mw_incidents_write(struct mw_incidents *s, struct json_object *doc, char *ret_id, size_t size, struct mw_error *err)
{
	char id[MW_INCIDENT_ID_SIZE] = "";
	int r;

	pthread_mutex_lock(&s->writing);
	r = write_one(s, doc, id);
	pthread_mutex_unlock(&s->writing);
	if (r) {
		mw_incidents_count_failure(s);
		return mw_fail(err, r, "incident not written: %s; %u wait in memory", strerror(-r),
			       mw_incidents_waiting(s));
	}
	if (ret_id)
		snprintf(ret_id, size, "%s", id);
	return 0;
}
