/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "leak/files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

static const struct {
	const char *name, *begins;
} kinds[] = {
	[MW_FILE_PIPE] = {"pipes", "pipe:"},	 [MW_FILE_SOCKET] = {"sockets", "socket:"},
	[MW_FILE_MEMFD] = {"memfds", "/memfd:"}, [MW_FILE_ANON] = {"anon_inodes", "anon_inode:"},
	[MW_FILE_OTHER] = {"other", NULL},
};
_Static_assert(ARRAY_SIZE(kinds) == MW_FILE_KIND_MAX, "a name for every kind");

const char *mw_file_kind_name(enum mw_file_kind kind)
{
	return (unsigned int)kind < MW_FILE_KIND_MAX ? kinds[kind].name : "unknown";
}

enum mw_file_kind mw_file_kind_of(const char *target)
{
	for (int i = 0; i < MW_FILE_OTHER; i++)
		if (strncmp(target, kinds[i].begins, strlen(kinds[i].begins)) == 0)
			return (enum mw_file_kind)i;
	return MW_FILE_OTHER;
}

static void count(const char *proc_root, pid_t pid, struct mw_files *files, __u64 *left)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[PATH_MAX], target[16];
	struct dirent *e;

	snprintf(path, sizeof(path), "%.200s/%d/fd", proc_root, pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		ssize_t n;

		if (e->d_name[0] == '.')
			continue;
		if (!*left) {
			files->more = true;
			return;
		}
		--*left;
		n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1); /* its beginning is enough */
		if (n < 0)
			continue; /* closed meanwhile */
		target[n] = '\0';
		files->n[mw_file_kind_of(target)]++;
	}
}

struct mw_files mw_files_count(const char *proc_root, const pid_t *pids, size_t n)
{
	struct mw_files files = {0};
	__u64 left = MW_FILES_MAX;

	for (size_t i = 0; i < n && !files.more; i++)
		count(proc_root, pids[i], &files, &left);
	return files;
}
