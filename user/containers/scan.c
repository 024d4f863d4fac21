/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "containers/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "util/cleanup.h"

#define STATE_LIMIT	   (1U << 20) /* docker 20.10 writes 30 kB */
#define STORAGE_LIMIT	   (8U << 20) /* podman: 600 bytes a container */
#define USER_LIMIT	   (256U << 10) /* of a file that a user may have written himself */
#define USER_STORAGE_LIMIT (1U << 20)
#define SUSPECTS_MAX	   16384 /* names looked at in one folder */
#define USERS_MAX	   256

/*
 * The path is three: the folder that is found (an administrator may have put a link anywhere up to there), what is
 * matched below it (no link is followed), and what that is. "*" of the last folder is the ID; of the one before the
 * namespace.
 */
struct place {
	const char *engine;
	enum mw_source_kind kind;
	const char *base, *below;
};

static const struct place places[] = {
	{"docker", MW_SOURCE_RUNC, "run/docker", "runtime-*/*/*/state.json"},
	{"docker", MW_SOURCE_CRUN, "run/docker", "runtime-*/*/*/status"},
	{"docker", MW_SOURCE_DOCKER, "var/lib/docker", "containers/*/config.v2.json"},
	{"docker", MW_SOURCE_DOCKER, "var/lib/docker", "[0-9]*.[0-9]*/containers/*/config.v2.json"},
	{"containerd", MW_SOURCE_RUNC, "run/containerd/runc", "*/*/state.json"},
	{"containerd", MW_SOURCE_CRUN, "run/containerd/runc", "*/*/status"},
	{"containerd", MW_SOURCE_OCI, "run/containerd/runc", "*/*/config.json"},
	{"runc", MW_SOURCE_RUNC, "run/runc", "*/state.json"},
	{"crun", MW_SOURCE_CRUN, "run/crun", "*/status"},
	{"crun", MW_SOURCE_OCI, "run/crun", "*/config.json"},
	{"", MW_SOURCE_STORAGE, "var/lib/containers/storage", "*-containers/containers.json"},
	{"", MW_SOURCE_STORAGE, "var/lib/containers/storage", "*-containers/volatile-containers.json"},
	{"", MW_SOURCE_STORAGE, "run/containers/storage", "*-containers/volatile-containers.json"},
	{"nspawn", MW_SOURCE_MACHINE, "run/systemd/machines", "*"},
	{"", MW_SOURCE_LINK, "var/log/containers", "*"},
};

/* The same without root: below $XDG_RUNTIME_DIR and below the user's home. */
static const struct place runtime_places[] = {
	{"crun", MW_SOURCE_CRUN, "crun", "*/status"},
	{"crun", MW_SOURCE_OCI, "crun", "*/config.json"},
	{"runc", MW_SOURCE_RUNC, "runc", "*/state.json"},
	{"docker", MW_SOURCE_RUNC, "docker", "runtime-*/*/*/state.json"},
	{"", MW_SOURCE_STORAGE, "containers", "*-containers/volatile-containers.json"},
};
static const struct place home_places[] = {
	{"", MW_SOURCE_STORAGE, ".local/share/containers/storage", "*-containers/containers.json"},
	{"", MW_SOURCE_STORAGE, ".local/share/containers/storage", "*-containers/volatile-containers.json"},
	{"docker", MW_SOURCE_DOCKER, ".local/share/docker", "containers/*/config.v2.json"},
};

/* A walk down one place. */
struct walk {
	struct mw_scan *scan;
	const struct place *place;
	uid_t uid;
	size_t *left; /* files that may still be opened for this user */
	char path[512]; /* so far, for a person */
	char first[MW_CONTAINER_ID], last[MW_CONTAINER_ID]; /* what "*" was */
};

static int open_at(int dir_fd, const char *path, int flags, __u64 resolve)
{
	struct open_how how = {.flags = (__u64)(flags | O_CLOEXEC), .resolve = resolve};
	long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Below a folder that others write: no links, no other file system. */
static __u64 careful(uid_t uid)
{
	return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | (uid ? RESOLVE_NO_XDEV : 0);
}

static void unread(struct walk *w, const char *what)
{
	struct mw_answer *a = w->scan->answer;

	if (!a->unread++)
		snprintf(a->problem, sizeof(a->problem), "/%.180s: %.60s", w->path, what);
}

static size_t limit_of(const struct walk *w)
{
	if (w->place->kind == MW_SOURCE_STORAGE)
		return w->uid ? USER_STORAGE_LIMIT : STORAGE_LIMIT;
	return w->uid ? USER_LIMIT : STATE_LIMIT;
}

/* Why a file that was opened is not taken; NULL: it is. */
static const char *objection(const struct walk *w, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (w->uid && st->st_uid != w->uid)
		return "not the user's own file";
	if ((size_t)st->st_size > limit_of(w))
		return "too large";
	return NULL;
}

static struct mw_source *new_source(struct walk *w)
{
	struct mw_source *s;

	if (w->scan->n == MW_SCAN_MAX || !*w->left) {
		unread(w, "too many files");
		return NULL;
	}
	(*w->left)--;
	s = &w->scan->sources[w->scan->n++];
	*s = (struct mw_source){.kind = w->place->kind, .engine = w->place->engine, .uid = w->uid, .fd = -1};
	if (w->place->kind != MW_SOURCE_STORAGE)
		snprintf(s->id, sizeof(s->id), "%s", w->last);
	if (!strcmp(w->place->engine, "containerd"))
		snprintf(s->namespace, sizeof(s->namespace), "%s", w->first);
	return s;
}

static void take_file(struct walk *w, int dir_fd, const char *name)
{
	_cleanup_close_ int fd = open_at(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, careful(w->uid));
	struct mw_source *source;
	const char *why;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		if (fd != -ENOENT && fd != -ENOTDIR) /* gone meanwhile, or never there: no loss */
			unread(w, fd < 0 ? strerror(-fd) : strerror(errno));
		return;
	}
	why = objection(w, &st);
	if (why) {
		unread(w, why);
		return;
	}
	source = new_source(w);
	if (!source)
		return;
	source->size = (size_t)st.st_size;
	source->fd = TAKE_FD(fd);
}

static void take_link(struct walk *w, const char *name)
{
	struct mw_source *source;

	if (strlen(name) >= sizeof(source->id))
		return;
	source = new_source(w);
	if (source)
		strcpy(source->id, name);
}

static void descend(struct walk *w, int dir_fd, const char *below);

/* One name that matched: the file itself, or the folder the rest is below. rest: behind the slash, NULL at the end. */
static void enter(struct walk *w, int dir_fd, const char *name, const char *rest)
{
	size_t end = strlen(w->path);
	int fd;

	snprintf(w->path + end, sizeof(w->path) - end, "/%s", name);
	if (!rest) {
		if (w->place->kind == MW_SOURCE_LINK)
			take_link(w, name);
		else
			take_file(w, dir_fd, name);
	} else {
		fd = open_at(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, careful(w->uid));
		if (fd >= 0)
			descend(w, fd, rest);
		else if (fd != -ENOENT && fd != -ENOTDIR)
			unread(w, strerror(-fd));
	}
	w->path[end] = '\0';
}

/* A name that "*" stands for is remembered: the last one is an ID. */
static void enter_star(struct walk *w, int dir_fd, const char *name, const char *rest)
{
	char first[MW_CONTAINER_ID], last[MW_CONTAINER_ID];

	strcpy(first, w->first);
	strcpy(last, w->last);
	strcpy(w->first, last);
	strcpy(w->last, name);
	enter(w, dir_fd, name, rest);
	strcpy(w->first, first);
	strcpy(w->last, last);
}

/* Each name that the pattern is true of. A name that no container can have is somebody else's file. */
static void descend_each(struct walk *w, DIR *dir, const char *pattern, const char *rest)
{
	struct dirent *e;

	for (size_t n = 0; (e = readdir(dir)); n++) {
		if (n == SUSPECTS_MAX) {
			unread(w, "too many names");
			return;
		}
		if (w->place->kind == MW_SOURCE_LINK) {
			if (e->d_name[0] != '.')
				enter(w, dirfd(dir), e->d_name, rest);
			continue;
		}
		if (fnmatch(pattern, e->d_name, FNM_PERIOD) || !mw_container_id_valid(e->d_name, strlen(e->d_name)))
			continue;
		if (!strcmp(pattern, "*"))
			enter_star(w, dirfd(dir), e->d_name, rest);
		else
			enter(w, dirfd(dir), e->d_name, rest);
	}
}

/* Takes dir_fd. below: a component with or without a pattern, a slash, the rest. */
static void descend(struct walk *w, int dir_fd, const char *below)
{
	_cleanup_close_ int fd = dir_fd;
	_cleanup_closedir_ DIR *dir = NULL;
	const char *slash = strchr(below, '/');
	char pattern[64];

	snprintf(pattern, sizeof(pattern), "%.*s", slash ? (int)(slash - below) : (int)strlen(below), below);
	if (!strpbrk(pattern, "*[")) {
		enter(w, fd, pattern, slash ? slash + 1 : NULL);
		return;
	}
	dir = fdopendir(fd);
	if (!dir) {
		unread(w, strerror(errno));
		return;
	}
	TAKE_FD(fd);
	descend_each(w, dir, pattern, slash ? slash + 1 : NULL);
}

static void looked(struct mw_answer *a, const char *path)
{
	size_t n = strlen(a->looked);

	if (!strstr(a->looked, path))
		snprintf(a->looked + n, sizeof(a->looked) - n, "%s/%s", n ? ", " : "", path);
}

static void scan_place(struct mw_scan *scan, int dir_fd, const char *above, const struct place *p, uid_t uid,
		       size_t *left)
{
	struct walk w = {.scan = scan, .place = p, .uid = uid, .left = left};
	__u64 resolve = uid ? careful(uid) : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
	int fd = open_at(dir_fd, p->base, O_RDONLY | O_DIRECTORY, resolve);

	snprintf(w.path, sizeof(w.path), "%s%s", above, p->base);
	if (fd >= 0) {
		looked(scan->answer, w.path);
		descend(&w, fd, p->below);
	} else if (fd != -ENOENT && fd != -ENOTDIR) {
		unread(&w, strerror(-fd));
	}
}

/* The home of a user, from ROOT/etc/passwd: who is not in there has only what is below the runtime folder. */
static bool home_of(int root_fd, uid_t uid, char *ret, size_t size)
{
	int fd = open_at(root_fd, "etc/passwd", O_RDONLY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char line[1024], *rest, *field;

	while (f && fgets(line, sizeof(line), f)) {
		rest = line;
		strsep(&rest, ":");
		strsep(&rest, ":");
		field = strsep(&rest, ":");
		if (!field || strtoul(field, NULL, 10) != uid)
			continue;
		strsep(&rest, ":");
		strsep(&rest, ":");
		field = strsep(&rest, ":");
		if (!field || field[0] != '/' || strlen(field) >= size)
			return false;
		strcpy(ret, field + 1);
		return true;
	}
	return false;
}

static void scan_user(struct mw_scan *scan, int root_fd, uid_t uid)
{
	size_t left = MW_SCAN_USER_MAX;
	char above[300], home[256];
	_cleanup_close_ int runtime_fd = -1, home_fd = -1;

	snprintf(above, sizeof(above), "run/user/%u", uid);
	runtime_fd = open_at(root_fd, above, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	strcat(above, "/");
	for (size_t i = 0; runtime_fd >= 0 && i < ARRAY_SIZE(runtime_places); i++)
		scan_place(scan, runtime_fd, above, &runtime_places[i], uid, &left);
	if (!home_of(root_fd, uid, home, sizeof(home)))
		return;
	home_fd = open_at(root_fd, home, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	snprintf(above, sizeof(above), "%s/", home);
	for (size_t i = 0; home_fd >= 0 && i < ARRAY_SIZE(home_places); i++)
		scan_place(scan, home_fd, above, &home_places[i], uid, &left);
}

static void scan_users(struct mw_scan *scan, int root_fd)
{
	int fd = open_at(root_fd, "run/user", O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	for (size_t n = 0; dir && n < USERS_MAX && (e = readdir(dir));) {
		uid_t uid = (uid_t)strtoul(e->d_name, NULL, 10);
		char name[16];

		/* Written in no other way, so that no two folders are one user's; root's own are root's. */
		snprintf(name, sizeof(name), "%u", uid);
		if (!uid || strcmp(name, e->d_name) != 0)
			continue;
		scan_user(scan, root_fd, uid);
		n++;
	}
}

static void allow_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l) && l.rlim_cur < MW_SCAN_MAX + 64) {
		l.rlim_cur = l.rlim_max < MW_SCAN_MAX + 64 ? l.rlim_max : MW_SCAN_MAX + 64;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

int mw_scan(const char *root, struct mw_answer *answer, struct mw_scan *ret_scan, struct mw_error *err)
{
	_cleanup_close_ int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mw_scan scan = {.answer = answer};
	size_t left = MW_SCAN_MAX;
	int fd;

	if (root_fd < 0)
		return mw_fail(err, -errno, "%s: %s", root, strerror(errno));
	fd = open_at(root_fd, ".", O_PATH, RESOLVE_BENEATH);
	if (fd < 0)
		return mw_fail(err, fd, "openat2: %s", strerror(-fd));
	close(fd);
	scan.sources = calloc(MW_SCAN_MAX, sizeof(*scan.sources));
	if (!scan.sources)
		return -ENOMEM;
	allow_files();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		scan_place(&scan, root_fd, "", &places[i], 0, &left);
	scan_users(&scan, root_fd);
	*ret_scan = scan;
	return 0;
}
