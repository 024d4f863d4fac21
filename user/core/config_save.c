/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* `set --save`: the drop-in of settings made at run time, replaced as a whole or not at all. */
#include "core/config_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define ENTRIES_MAX 16384 /* settings in one drop-in: twice what workers may have */

struct entry {
	struct mw_section section;
	char *key, *value; /* key NULL: the section is named */
};

struct entries {
	struct entry *list;
	size_t n, capacity;
};

static void free_entry(struct entry *e)
{
	free(e->key);
	free(e->value);
}

static void free_entries(struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		free_entry(&e->list[i]);
	free(e->list);
}

static bool same_section(const struct mw_section *a, const struct mw_section *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

/* Replace the value of a key that is there, else append. */
static int put(struct entries *e, const struct mw_section *section, const char *key, const char *value)
{
	_cleanup_free_ char *new_key = strdup(key), *new_value = strdup(value);

	if (!new_key || !new_value)
		return -ENOMEM;
	for (size_t i = 0; i < e->n; i++) {
		if (!same_section(&e->list[i].section, section) || strcmp(e->list[i].key, key) != 0)
			continue;
		free(e->list[i].value);
		e->list[i].value = TAKE_PTR(new_value);
		return 0;
	}
	if (e->n == e->capacity) {
		size_t capacity = e->capacity ? e->capacity * 2 : 16;
		struct entry *grown = reallocarray(e->list, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		e->list = grown;
		e->capacity = capacity;
	}
	e->list[e->n++] = (struct entry){.section = *section, .key = TAKE_PTR(new_key), .value = TAKE_PTR(new_value)};
	return 0;
}

/* One line of the present drop-in, or one setting of the caller. */
static int collect(void *arg, const struct mw_where *at, const struct mw_section *section, const char *key_name,
		   const char *value, struct mw_error *err)
{
	const struct mw_key *key;
	struct entries *e = arg;

	if (!key_name)
		return 0;
	key = mw_key_find(section->kind, key_name);
	if (!key)
		return mw_say_unknown_key(err, at, section, key_name);
	if (mw_key_check(key, value) < 0)
		return mw_say_wrong_value(err, at, section, key, value);
	if (e->n == ENTRIES_MAX)
		return mw_config_say(err, -E2BIG, at, section, key_name, value, "at most %d settings", ENTRIES_MAX);
	/* An empty value resets; say so in a way that is seen. */
	if (put(e, section, key_name, mw_is_default(key, value) && key->type != MW_KEY_PATTERN ? "default" : value) < 0)
		return mw_fail(err, -ENOMEM, "out of memory");
	return 0;
}

/* Entries of one section follow its first one. */
static void write_section(FILE *f, const struct entries *e, size_t first)
{
	char title[MW_NAME_SIZE + 16];

	fprintf(f, "\n[%s]\n", mw_section_text(&e->list[first].section, title, sizeof(title)));
	for (size_t i = first; i < e->n; i++)
		if (same_section(&e->list[i].section, &e->list[first].section))
			fprintf(f, "%s = %s\n", e->list[i].key, e->list[i].value);
}

int mw_config_render(mw_render_fn fn, const void *arg, char **ret_text, size_t *ret_len)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	bool failed;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return -ENOMEM;
	fn(f, arg);
	failed = ferror(f);
	if (fclose(f) != 0 || failed)
		return -ENOMEM;
	if (len > MW_CONFIG_FILE_MAX)
		return -E2BIG;
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

static void write_entries(FILE *f, const void *arg)
{
	const struct entries *e = arg;

	fputs("# Written by `memweir set --save`, which keeps settings made by hand and drops comments.\n", f);
	for (size_t i = 0; i < e->n; i++) {
		size_t first = 0;

		while (!same_section(&e->list[first].section, &e->list[i].section))
			first++;
		if (first == i)
			write_section(f, e, i);
	}
}

static int make_dirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int r;

		*slash = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t r = write(fd, text, len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		text += r;
		len -= (size_t)r;
	}
	return 0;
}

/* Fill the new file and put it in the old one's place; the caller removes it on failure. */
static int fill_and_rename(int dir_fd, int fd, const char *tmp_name, const char *text, size_t len)
{
	int r = write_all(fd, text, len);

	if (r < 0)
		return r;
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		return -errno;
	if (renameat(dir_fd, tmp_name, dir_fd, MW_SET_DROPIN) < 0)
		return -errno;
	/* The file is in place; a directory that cannot be synced would be no reason to say it is not. */
	(void)fsync(dir_fd);
	return 0;
}

static int replace_file(const char *dir, const char *text, size_t len)
{
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char tmp_name[64];
	int r;

	if (dir_fd < 0)
		return -errno;
	/* Not .conf: one left behind by a crash is never read. */
	snprintf(tmp_name, sizeof(tmp_name), ".%s.%d.tmp", MW_SET_DROPIN, getpid());
	(void)unlinkat(dir_fd, tmp_name, 0);
	fd = openat(dir_fd, tmp_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fill_and_rename(dir_fd, fd, tmp_name, text, len);
	if (r < 0)
		(void)unlinkat(dir_fd, tmp_name, 0);
	return r;
}

/* What the file would say must read back, with names and values no line can hold refused. */
static int read_back(const char *text, size_t len, const char *path, size_t expected, struct mw_error *err)
{
	_cleanup_(free_entries) struct entries again = {0};
	int r;

	if (len > MW_CONFIG_FILE_MAX)
		return mw_fail(err, -E2BIG, "%s: would be larger than 1 MiB", path);
	r = mw_config_parse(text, len, path, collect, &again, err);
	if (r < 0)
		return r;
	return again.n == expected ? 0 : mw_fail(err, -EINVAL, "%s: would not read back as written", path);
}

/* What is kept so far into e; none is fine. */
static int read_kept(const char *path, struct entries *e, struct mw_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = mw_config_read(path, &text, &len, err);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : mw_config_parse(text, len, path, collect, e, err);
}

static int write_kept(char *dir, const char *path, const struct entries *e, struct mw_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = mw_config_render(write_entries, e, &text, &len);

	if (r < 0)
		return mw_say_file(err, r, "cannot write", path);
	r = read_back(text, len, path, e->n, err);
	if (r < 0)
		return r;
	r = make_dirs(dir);
	if (r == 0)
		r = replace_file(dir, text, len);
	return r < 0 ? mw_say_file(err, r, "cannot write", path) : 0;
}

/* True: there were some. */
static bool drop(struct entries *e, const struct mw_section *section)
{
	size_t kept = 0, before = e->n;

	for (size_t i = 0; i < before; i++) {
		if (same_section(&e->list[i].section, section))
			free_entry(&e->list[i]);
		else
			e->list[kept++] = e->list[i];
	}
	e->n = kept;
	return kept < before;
}

/* What is kept, with these settings, or without any of target's. */
static int rewrite(const char *prefix, const char *target, bool without, const struct mw_kv *kv, size_t n,
		   struct mw_error *err)
{
	_cleanup_(free_entries) struct entries all = {0};
	_cleanup_free_ char *path = NULL, *dir = NULL;
	const struct mw_where at = {0};
	struct mw_section section;
	int r;

	r = mw_section_parse(target, &at, &section, err);
	if (r < 0)
		return r;
	if (asprintf(&dir, "%s" MW_SET_DROPIN_DIR, prefix) < 0 || asprintf(&path, "%s" MW_SET_DROPIN, dir) < 0)
		return mw_fail(err, -ENOMEM, "out of memory");
	r = read_kept(path, &all, err);
	if (r >= 0 && without && !drop(&all, &section))
		return 0;
	for (size_t i = 0; i < n && r == 0; i++)
		r = collect(&all, &at, &section, kv[i].key, kv[i].value, err);
	return r < 0 ? r : write_kept(dir, path, &all, err);
}

int mw_config_save(const char *prefix, const char *target, const struct mw_kv *kv, size_t n, struct mw_error *err)
{
	return rewrite(prefix, target, false, kv, n, err);
}

int mw_config_unsave(const char *prefix, const char *target, struct mw_error *err)
{
	return rewrite(prefix, target, true, NULL, 0, err);
}
