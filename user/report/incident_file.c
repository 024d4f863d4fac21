/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/incident_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report/incident.h"
#include "report/json_out.h"
#include "util/cleanup.h"

#define TMP_NAME    ".writing" /* one writer; what a crash leaves is removed by the next write */
#define PARSE_DEPTH 8

static void file_name(const char *id, char ret_name[MW_INCIDENT_ID_SIZE + 8])
{
	snprintf(ret_name, MW_INCIDENT_ID_SIZE + 8, "%s.json", id);
}

/* Ours, and nobody else's to look into: incidents hold command lines. */
static int make_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	if ((st.st_mode & 0777) != 0700 && fchmod(fd, 0700))
		return -errno;
	return 0;
}

int mw_incident_dir_open(const char *state_dir, struct mw_error *err)
{
	_cleanup_close_ int state = -1, dir = -1;
	int r;

	if (mkdir(state_dir, 0700) && errno != EEXIST)
		return mw_fail(err, -errno, "%s: %s", state_dir, strerror(errno));
	state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0)
		return mw_fail(err, -errno, "%s: %s", state_dir, strerror(errno));
	if (mkdirat(state, "incidents", 0700) && errno != EEXIST)
		return mw_fail(err, -errno, "%s/incidents: %s", state_dir, strerror(errno));
	dir = openat(state, "incidents", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return mw_fail(err, -errno, "%s/incidents: %s", state_dir, strerror(errno));
	r = make_private(dir);
	if (r)
		return mw_fail(err, r, "%s/incidents: it is another user's, or cannot be made private: %s", state_dir,
			       strerror(-r));
	return TAKE_FD(dir);
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

int mw_incident_file_write(int dir_fd, const char *id, const char *text)
{
	char name[MW_INCIDENT_ID_SIZE + 8];
	_cleanup_close_ int fd = -1;
	int r;

	file_name(id, name);
	if (unlinkat(dir_fd, TMP_NAME, 0) && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, TMP_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (!r && renameat(dir_fd, TMP_NAME, dir_fd, name))
		r = -errno;
	if (r) {
		unlinkat(dir_fd, TMP_NAME, 0);
		return r;
	}
	fsync(dir_fd); /* the file is whole either way; without this a power cut may take its name back */
	return 0;
}

int mw_incident_file_remove(int dir_fd, const char *id)
{
	char name[MW_INCIDENT_ID_SIZE + 8];

	file_name(id, name);
	return unlinkat(dir_fd, name, 0) && errno != ENOENT ? -errno : 0;
}

bool mw_incident_file_exists(int dir_fd, const char *id)
{
	char name[MW_INCIDENT_ID_SIZE + 8];
	struct stat st;

	file_name(id, name);
	return !fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

static bool has_text(struct json_object *doc, const char *key)
{
	return json_object_is_type(json_object_object_get(doc, key), json_type_string);
}

int mw_incident_parse(const char *id, const char *text, struct json_object **ret_doc)
{
	struct json_tokener *tok = json_tokener_new_ex(PARSE_DEPTH);
	struct json_object *doc;
	struct mw_json_out o;
	size_t end;

	if (!tok)
		return -ENOMEM;
	json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
	doc = json_tokener_parse_ex(tok, text, (int)strlen(text));
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	if (!json_object_is_type(doc, json_type_object) || strcmp(text + end, text[end] ? "\n" : "") != 0 ||
	    !has_text(doc, "name") || !has_text(doc, "time") || !has_text(doc, "reason")) {
		json_object_put(doc);
		return -EINVAL;
	}
	o = mw_json_begin(doc);
	mw_json_text(&o, "id", id);
	if (!o.obj)
		return -ENOMEM;
	*ret_doc = mw_json_end(&o);
	return 0;
}

static int read_text(int fd, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > MW_INCIDENT_MAX_BYTES)
		return -E2BIG;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n < 0)
		return -errno;
	if (n != st.st_size || strlen(text) != (size_t)n)
		return -EINVAL;
	*ret_text = TAKE_PTR(text);
	return 0;
}

int mw_incident_file_read(int dir_fd, const char *id, struct json_object **ret_doc)
{
	char name[MW_INCIDENT_ID_SIZE + 8];
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	file_name(id, name);
	/* O_NONBLOCK: a pipe in the file's place must not hold us up. */
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = read_text(fd, &text);
	if (r || !text)
		return r ? r : -EIO;
	return mw_incident_parse(id, text, ret_doc);
}
