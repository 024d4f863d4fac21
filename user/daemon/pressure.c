/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

#define PATH_SIZE (sizeof(MW_PRESSURE_DIR) + MW_PRESSURE_SIZE)

static const char *path_of(const char *name, char buf[PATH_SIZE])
{
	snprintf(buf, PATH_SIZE, MW_PRESSURE_DIR "/%s", name);
	return buf;
}

int mw_pressure_dir(int run_fd)
{
	if (mkdirat(run_fd, MW_PRESSURE_DIR, 0711) < 0 && errno != EEXIST)
		return -errno;
	/* Entered by everybody, whatever our umask; listed by root. */
	return fchmodat(run_fd, MW_PRESSURE_DIR, 0711, 0) < 0 ? -errno : 0;
}

int mw_pressure_make(int run_fd, struct mw_worker *w)
{
	unsigned char random[16];
	char name[MW_PRESSURE_SIZE], path[PATH_SIZE];
	size_t n;

	if (getrandom(random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		return -EAGAIN;
	n = (size_t)snprintf(name, sizeof(name), "%s.", w->name);
	for (size_t i = 0; i < sizeof(random); i++, n += 2)
		snprintf(name + n, sizeof(name) - n, "%02x", random[i]);
	path_of(name, path);
	if (mkfifoat(run_fd, path, 0600) < 0)
		return -errno;
	/* A member's is its own alone: it cannot become another user, as root's workers do. */
	if (w->uid ? fchownat(run_fd, path, w->uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0
		   : fchmodat(run_fd, path, 0666, 0) < 0) {
		int r = -errno;

		unlinkat(run_fd, path, 0);
		return r;
	}
	snprintf(w->pressure, sizeof(w->pressure), "%s", name);
	mw_pressure_hold(run_fd, w); /* what fails here is tried again before each notice */
	return 0;
}

int mw_pressure_hold(int run_fd, struct mw_worker *w)
{
	_cleanup_close_ int reader = -1;
	char path[PATH_SIZE];

	if (w->pressure_fd >= 0 || !w->pressure[0])
		return 0;
	path_of(w->pressure, path);
	/* Without a reader the writing end cannot be opened: for that long we are one. */
	reader = openat(run_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (reader >= 0)
		w->pressure_fd = openat(run_fd, path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	return w->pressure_fd < 0 ? -errno : 0;
}

void mw_pressure_remove(int run_fd, struct mw_worker *w)
{
	char path[PATH_SIZE];

	mw_close(&w->pressure_fd);
	if (w->pressure[0])
		unlinkat(run_fd, path_of(w->pressure, path), 0);
	w->pressure[0] = '\0';
}

static bool belongs(const struct mw_workers *ws, const char *file)
{
	const char *dot = strrchr(file, '.');
	char name[MW_NAME_SIZE];
	struct mw_worker *w;

	if (!dot || (size_t)(dot - file) >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(dot - file), file);
	w = mw_worker_by_name(ws, name);
	return w && strcmp(w->pressure, file) == 0;
}

void mw_pressure_sweep(int run_fd, const struct mw_workers *ws)
{
	int fd = openat(run_fd, MW_PRESSURE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		mw_close(&fd);
		return;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.' && !belongs(ws, e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	}
}

bool mw_pressure_taken(const struct mw_worker *w)
{
	int unread = 0;

	return w->pressure_fd >= 0 && ioctl(w->pressure_fd, FIONREAD, &unread) == 0 && unread == 0;
}

static bool has_reader(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) == 0 || !(p.revents & POLLERR);
}

/* What its reader left unread when it went is not for the next one. */
static void throw_away(int run_fd, const struct mw_worker *w)
{
	char path[PATH_SIZE], unread[PIPE_BUF];
	_cleanup_close_ int reader =
		openat(run_fd, path_of(w->pressure, path), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	if (reader >= 0 && read(reader, unread, sizeof(unread)) < 0)
		return; /* there was none */
}

enum mw_told mw_pressure_tell(int run_fd, struct mw_worker *w)
{
	mw_pressure_hold(run_fd, w);
	if (w->pressure_fd < 0)
		return MW_TOLD_NOBODY;
	if (!has_reader(w->pressure_fd)) {
		throw_away(run_fd, w);
		return MW_TOLD_NOBODY;
	}
	/* One byte at most is ever under way, however long nobody reads. */
	if (!mw_pressure_taken(w) || write(w->pressure_fd, "p", 1) != 1)
		return MW_TOLD_UNREAD;
	return MW_TOLD;
}
