/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Which files there are, and in what order they count. */
#include "core/config_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

/* A drop-in: directory i of drop_dirs, name. */
struct dropin {
	char *path, *name;
};

struct dropins {
	struct dropin *list;
	size_t n;
};

static const char *const main_files[] = {"/usr/lib/memweir/memweir.conf", "/etc/memweir/memweir.conf"};
static const char *const drop_dirs[] = {"/usr/lib/memweir/memweir.conf.d", "/run/memweir/memweir.conf.d",
					"/etc/memweir/memweir.conf.d"};

static void free_dropins(struct dropins *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->list[i].path);
		free(d->list[i].name);
	}
	free(d->list);
}

/* Up to room bytes; the file may grow or shrink while it is read. */
static ssize_t read_all(int fd, char *buf, size_t room)
{
	size_t len = 0;

	while (len < room) {
		ssize_t r = read(fd, buf + len, room - len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		len += (size_t)r;
	}
	return (ssize_t)len;
}

/* A regular file, or /dev/null, which masks a drop-in. O_NONBLOCK: a FIFO must not hold the daemon. */
static int open_config(const char *path, int *ret_fd, struct mw_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st, null;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return mw_say_file(err, -errno, "cannot open", path);
	if (fstat(fd, &st) < 0)
		return mw_say_file(err, -errno, "cannot stat", path);
	if (S_ISDIR(st.st_mode))
		return mw_say_file(err, -EISDIR, "not a file", path);
	if (!S_ISREG(st.st_mode) && (stat("/dev/null", &null) < 0 || null.st_rdev != st.st_rdev))
		return mw_fail(err, -EINVAL, "%s: not a regular file", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mw_config_read(const char *path, char **ret_text, size_t *ret_len, struct mw_error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	ssize_t len;
	int r;

	r = open_config(path, &fd, err);
	if (r < 0)
		return r;
	text = malloc(MW_CONFIG_FILE_MAX + 1);
	if (!text)
		return mw_fail(err, -ENOMEM, "out of memory");
	len = read_all(fd, text, MW_CONFIG_FILE_MAX + 1);
	if (len < 0)
		return mw_say_file(err, (int)len, "cannot read", path);
	if (len > (ssize_t)MW_CONFIG_FILE_MAX)
		return mw_fail(err, -E2BIG, "%s: larger than 1 MiB", path);
	text[len] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_len = (size_t)len;
	return 0;
}

static int load_file(const char *path, struct mw_config *cfg, struct mw_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r;

	r = mw_config_read(path, &text, &len, err);
	if (r < 0)
		return r;
	return mw_config_parse(text, len, path, mw_config_apply, cfg, err);
}

static int load_main(const char *prefix, const char *main_file, struct mw_config *cfg, struct mw_error *err)
{
	if (main_file) {
		int r = load_file(main_file, cfg, err);

		return r == -ENOENT ? mw_say_file(err, r, "cannot open", main_file) : r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(main_files); i++) {
		_cleanup_free_ char *path = NULL;
		int r;

		if (asprintf(&path, "%s%s", prefix, main_files[i]) < 0)
			return mw_fail(err, -ENOMEM, "out of memory");
		r = load_file(path, cfg, err);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static bool is_conf(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

/* The same name in an earlier directory is replaced. */
static int add_dropin(struct dropins *d, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL, *copy = strdup(name);
	struct dropin *list;

	if (!copy || asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->list[i].name, name) != 0)
			continue;
		free(d->list[i].path);
		d->list[i].path = TAKE_PTR(path);
		return 0;
	}
	list = reallocarray(d->list, d->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	d->list = list;
	d->list[d->n++] = (struct dropin){.path = TAKE_PTR(path), .name = TAKE_PTR(copy)};
	return 0;
}

static int scan_dir(const char *prefix, const char *dir, struct dropins *d, struct mw_error *err)
{
	_cleanup_closedir_ DIR *stream = NULL;
	_cleanup_free_ char *path = NULL;
	struct dirent *entry;

	if (asprintf(&path, "%s%s", prefix, dir) < 0)
		return mw_fail(err, -ENOMEM, "out of memory");
	stream = opendir(path);
	if (!stream && errno == ENOENT)
		return 0;
	if (!stream)
		return mw_say_file(err, -errno, "cannot open", path);
	for (errno = 0; (entry = readdir(stream)); errno = 0)
		if (is_conf(entry->d_name) && add_dropin(d, path, entry->d_name) < 0)
			return mw_fail(err, -ENOMEM, "out of memory");
	return errno ? mw_say_file(err, -errno, "cannot read", path) : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dropin *)a)->name, ((const struct dropin *)b)->name);
}

static int load_dropins(const char *prefix, struct mw_config *cfg, struct mw_error *err)
{
	_cleanup_(free_dropins) struct dropins d = {0};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(drop_dirs); i++) {
		r = scan_dir(prefix, drop_dirs[i], &d, err);
		if (r < 0)
			return r;
	}
	if (d.n)
		qsort(d.list, d.n, sizeof(*d.list), by_name);
	for (size_t i = 0; i < d.n; i++) {
		r = load_file(d.list[i].path, cfg, err);
		/* It was listed: a link to nowhere, or removed since. */
		if (r == -ENOENT)
			return mw_say_file(err, r, "cannot open", d.list[i].path);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Only one file when prefix is NULL. */
static int load(const char *prefix, const char *main_file, struct mw_config *ret_cfg, struct mw_error *err)
{
	_cleanup_(mw_config_free) struct mw_config cfg = {0};
	int r;

	if (mw_config_defaults(&cfg) < 0)
		return mw_fail(err, -ENOMEM, "out of memory");
	r = load_main(prefix, main_file, &cfg, err);
	if (r >= 0 && prefix)
		r = load_dropins(prefix, &cfg, err);
	if (r >= 0)
		r = mw_config_check(&cfg, err);
	if (r < 0)
		return r;
	*ret_cfg = cfg;
	cfg = (struct mw_config){0};
	return 0;
}

int mw_config_load(const char *prefix, const char *main_file, struct mw_config *ret_cfg, struct mw_error *err)
{
	return load(prefix, main_file, ret_cfg, err);
}

int mw_config_load_file(const char *path, struct mw_config *ret_cfg, struct mw_error *err)
{
	return load(NULL, path, ret_cfg, err);
}
