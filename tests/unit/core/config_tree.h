/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A made-up host below a temporary directory, for the tests of the configuration. */
#ifndef MW_TESTS_CONFIG_TREE_H
#define MW_TESTS_CONFIG_TREE_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config.h"

static char prefix[64];

static inline int make_prefix(void **state)
{
	(void)state;
	strcpy(prefix, "/tmp/mw-config-XXXXXX");
	return mkdtemp(prefix) ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int remove_prefix(void **state)
{
	(void)state;
	return nftw(prefix, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* PREFIX/NAME with its directories made. */
static inline const char *host_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s%s", prefix, name);
	for (char *slash = strchr(path + strlen(prefix) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0)
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	return path;
}

static inline void put_bytes(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(host_path(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

#endif
