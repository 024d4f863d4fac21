/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A tree of files in a temporary directory that stands for /sys/fs/cgroup or /proc. */
#ifndef MW_TESTS_FAKE_TREE_H
#define MW_TESTS_FAKE_TREE_H

#include "../unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

static char tree[64];

static inline int tree_make(void **state)
{
	(void)state;
	strcpy(tree, "/tmp/memweir-unit-XXXXXX");
	return mkdtemp(tree) ? 0 : -1;
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int tree_remove(void **state)
{
	(void)state;
	return nftw(tree, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* TREE/path. The result is good until the next call. */
static inline const char *tree_path(const char *path)
{
	static __thread char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", tree, path);
	return full;
}

static inline void tree_dir(const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", tree, path);
	for (char *slash = strchr(full + strlen(tree) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	assert_true(!mkdir(full, 0755) || errno == EEXIST);
}

static inline void tree_bytes(const char *path, const void *bytes, size_t n)
{
	_cleanup_close_ int fd = -1;
	char dir[PATH_MAX - sizeof(tree)];

	snprintf(dir, sizeof(dir), "%s", path);
	if (strrchr(dir, '/')) {
		*strrchr(dir, '/') = '\0';
		tree_dir(dir);
	}
	fd = open(tree_path(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
}

static inline void tree_file(const char *path, const char *text)
{
	tree_bytes(path, text, strlen(text));
}

/* The first line of a file, "" without. The result is good until the next call. */
static inline const char *tree_text(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(tree_path(path), "re");
	static __thread char text[64];

	if (!file || !fgets(text, sizeof(text), file))
		text[0] = '\0';
	return text;
}

/* For files that are written over without being truncated, as a cgroup's are: the beginning counts. */
static inline bool tree_begins(const char *path, const char *text)
{
	return !strncmp(tree_text(path), text, strlen(text));
}

static inline int tree_open(const char *path)
{
	int fd = open(tree_path(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

#define tree_test(f) cmocka_unit_test_setup_teardown(f, tree_make, tree_remove)

#endif
