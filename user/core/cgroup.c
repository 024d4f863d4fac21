/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define FILEID_KERNFS 0xfe /* enum fid_type of the kernel's exportfs.h */

/* Mount points in mountinfo have blanks and backslashes as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		int value = 0, i = 0;

		if (*from == '\\')
			for (i = 1; i <= 3 && from[i] >= '0' && from[i] <= '7'; i++)
				value = value * 8 + from[i] - '0';
		*to = i == 4 ? (char)value : *from;
		from += i == 4 ? 4 : 1;
	}
	*to = '\0';
}

/* Fields of a mountinfo line: root (4th), mount point (5th), type (after the lone "-"). The line is taken apart. */
static bool parse_mount(char *line, char **ret_root, char **ret_point, const char **ret_type)
{
	char *rest = NULL, *field = strtok_r(line, " \n", &rest), *root = NULL, *point = NULL;

	for (int i = 0; field; i++, field = strtok_r(NULL, " \n", &rest)) {
		if (i == 3)
			root = field;
		else if (i == 4)
			point = field;
		else if (i > 5 && !strcmp(field, "-"))
			break;
	}
	*ret_type = field ? strtok_r(NULL, " \n", &rest) : NULL;
	*ret_root = root;
	*ret_point = point;
	return *ret_type && point;
}

int mw_cgroup_mount(const char *prefix, char *ret_path, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	char path[PATH_MAX], found[PATH_MAX] = "";
	size_t room = 0;

	if (snprintf(path, sizeof(path), "%s/proc/self/mountinfo", prefix) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &room, f) > 0) {
		char *root, *point;
		const char *type;
		bool whole;

		if (!parse_mount(line, &root, &point, &type) || strcmp(type, "cgroup2") != 0)
			continue;
		whole = !strcmp(root, "/"); /* a bind mount of one container's part is only a last resort */
		if (*found && !whole)
			continue;
		snprintf(found, sizeof(found), "%s", point);
		if (whole)
			break;
	}
	if (!*found)
		return -ENOENT;
	unescape(found);
	if (strlen(found) >= size)
		return -ENAMETOOLONG;
	memcpy(ret_path, found, strlen(found) + 1);
	return 0;
}

bool mw_cgroup_has_memory(int dir_fd)
{
	char buf[512], *rest = NULL;

	if (mw_cgroup_read(dir_fd, "cgroup.controllers", buf, sizeof(buf)) < 0)
		return false;
	for (char *word = strtok_r(buf, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
		if (!strcmp(word, "memory"))
			return true;
	return false;
}

bool mw_cgroup_path_holds(const char *path, const char *below)
{
	size_t n = strlen(path);

	return !strncmp(path, below, n) && (!below[n] || below[n] == '/');
}

int mw_cgroup_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

/* Room for a file handle, which has its length at run time. */
union handle {
	struct file_handle head;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

int mw_cgroup_open_id(const char *mount, __u64 id)
{
	union handle handle = {.head = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};
	_cleanup_close_ int mount_fd = mw_cgroup_open(mount);
	int fd;

	if (mount_fd < 0)
		return mount_fd;
	memcpy(handle.head.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount_fd, &handle.head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

__u64 mw_cgroup_id(int dir_fd)
{
	union handle handle = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount_id;
	__u64 id;
	struct stat st;

	if (!name_to_handle_at(dir_fd, "", &handle.head, &mount_id, AT_EMPTY_PATH) &&
	    handle.head.handle_type == FILEID_KERNFS && handle.head.handle_bytes == sizeof(id)) {
		memcpy(&id, handle.head.f_handle, sizeof(id));
		return id;
	}
	/* Where a container's seccomp filter refuses the call: on 64 bit the inode number is the same. */
	return fstat(dir_fd, &st) ? 0 : st.st_ino;
}

ssize_t mw_cgroup_read(int dir_fd, const char *file, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0;
	ssize_t n;

	if (!size)
		return -E2BIG;
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + used, size - used);
		if (n < 0 && errno != EINTR)
			return -errno;
		used += n > 0 ? n : 0;
	} while (n && used < size);
	if (used == size) {
		buf[size - 1] = '\0';
		return -E2BIG;
	}
	buf[used] = '\0';
	return used;
}

/* A decimal number up to end of line or of text. */
static int parse_u64(const char *text, __u64 *ret)
{
	char *end;
	__u64 value;

	if (*text < '0' || *text > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || (*end && *end != '\n'))
		return -EBADMSG;
	*ret = value;
	return 0;
}

int mw_cgroup_parse_u64(const char *text, __u64 *ret)
{
	if (!strcmp(text, "max\n") || !strcmp(text, "max")) {
		*ret = MW_UNLIMITED;
		return 0;
	}
	return parse_u64(text, ret);
}

int mw_cgroup_read_u64(int dir_fd, const char *file, __u64 *ret)
{
	char buf[64] = "";
	ssize_t n = mw_cgroup_read(dir_fd, file, buf, sizeof(buf));

	if (n < 0)
		return n == -E2BIG ? -EBADMSG : n;
	return mw_cgroup_parse_u64(buf, ret);
}

int mw_cgroup_write(int dir_fd, const char *file, const char *value)
{
	/* O_NONBLOCK: newer kernels then reclaim and kill for memory.max and .high in the worker's context, not in
	 * ours. */
	_cleanup_close_ int fd = openat(dir_fd, file, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK);
	size_t length = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, value, length);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

int mw_cgroup_write_u64(int dir_fd, const char *file, __u64 value)
{
	char text[24];

	if (value == MW_UNLIMITED)
		return mw_cgroup_write(dir_fd, file, "max");
	snprintf(text, sizeof(text), "%llu", value);
	return mw_cgroup_write(dir_fd, file, text);
}

int mw_keyed_u64(const char *buf, const char *key, __u64 *ret)
{
	size_t length = strlen(key);

	for (const char *line = buf; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, length) && line[length] == ' ')
			return parse_u64(line + length + 1, ret);
	}
	return -ENOENT;
}

int mw_cgroup_populated(int dir_fd)
{
	char buf[256];
	ssize_t n = mw_cgroup_read(dir_fd, "cgroup.events", buf, sizeof(buf));
	__u64 value;
	int r;

	if (n < 0)
		return n;
	r = mw_keyed_u64(buf, "populated", &value);
	return r ? r : !!value;
}

int mw_cgroup_frozen(int dir_fd)
{
	__u64 value;
	int r = mw_cgroup_read_u64(dir_fd, "cgroup.freeze", &value);

	return r ? r : !!value;
}

int mw_cgroup_freeze(int dir_fd, bool freeze)
{
	return mw_cgroup_write(dir_fd, "cgroup.freeze", freeze ? "1" : "0");
}
